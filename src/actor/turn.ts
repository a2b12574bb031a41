import type { z } from 'zod'
import { type Call, commandsByKind, publicEvents, requestsByService, type Send } from '../../schemas/index.ts'
import type { Alarm, AnyActor, Context, Decision, Reply, Tagged } from './actor.ts'
import { deriveId, isUuid } from './ids.ts'

/** What one message did to one actor, complete: everything that is journaled and everything that is to follow. */
export type Turn = {
  outcome: 'accepted' | 'refused' | 'ignored'
  /** The code of a refusal, or why there was nothing to do. */
  because?: string
  events: Tagged[]
  sends: Identified<Send>[]
  calls: Identified<Call>[]
  publishes: Identified<{ event: Tagged }>[]
  reply?: Reply
  /** The fold of the events over the state before. */
  state: unknown
  /** What that state wants to be told, and when. */
  alarm?: Alarm<Tagged>
}

/**
 * Ids are made from the message, the actor and the place in the decision: a repeated turn makes the same ones, and two
 * actors that got messages of the same id never do.
 */
export type Identified<T> = T & { messageId: string }

/**
 * One turn: decide, check what was decided, fold. Pure.
 *
 * @param isRequest whether this very message is what somebody waits on: a refusal then answers by itself. Further down
 *   the chain only an explicit reply does, because a refusal there is not the end of the story.
 * @throws whatever a faulty handler throws, and a ZodError when it returned something that is not in the catalogue
 */
export function takeTurn(
  actor: AnyActor,
  state: unknown,
  message: Tagged,
  context: Omit<Context, 'childId'>,
  isRequest: boolean,
): Turn {
  const handler = actor.decide[message.type]
  if (!handler) throw new TypeError(`${actor.kind} has no handler for ${message.type}`)
  const { id, messageId, at, deadlines } = context
  const known: Context = { id, messageId, at, deadlines, childId: (name: string) => deriveId(id, name) }
  const decision = handler(state as never, message as never, known)
  const events = 'events' in decision ? decision.events.map((event) => parseEvent(actor, event)) : []
  const intents = ('then' in decision ? decision.then : undefined) ?? []

  // Written out, without a spread and with what is optional at the end: three times as fast as a literal of many shapes.
  const turn: Turn = { outcome: outcomeOf(decision), events, sends: [], calls: [], publishes: [], state: undefined }
  turn.state = fold(actor, state, events)
  const because = becauseOf(decision)
  if (because !== undefined) turn.because = because
  const alarm = alarmOf(actor, turn.state)
  if (alarm) turn.alarm = alarm
  const nextId = counter(`${actor.kind}.${id}`, messageId)
  for (const event of events) if (isPublic(actor, event)) turn.publishes.push({ messageId: nextId(), event })
  for (const intent of intents) {
    if ('send' in intent) turn.sends.push(parseSend(nextId(), intent))
    else turn.calls.push(parseCall(nextId(), intent))
  }
  const reply = decision.reply ?? (isRequest ? refusalOf(decision) : undefined)
  if (reply) turn.reply = reply
  return turn
}

/** The state after these events, of whatever version: the only way there is to a state. */
export function fold(actor: AnyActor, state: unknown, events: Tagged[]): unknown {
  let folded = state
  for (const event of events) {
    const current = upcast(actor, event)
    const evolve = actor.evolve[current.type]
    if (!evolve) throw new TypeError(`${actor.kind} cannot evolve by ${event.type}`)
    folded = evolve(folded as never, current as never)
  }
  return folded
}

/** An event out of a journal, as it would be said now. Whoever reads events there does so by way of this. */
export function upcast(actor: AnyActor, event: Tagged): Tagged {
  const upcaster = actor.upcasters?.[event.type]
  return upcaster ? upcast(actor, upcaster(event as never)) : event
}

/**
 * A stored state as it would be now: what it lacks, because an earlier build stored it, its schema fills in. One that does
 * not fit even so stays as it is, for the turn to fail on: that costs one message, and not the partition.
 */
export function restore(actor: AnyActor, stored: unknown): unknown {
  const parsed = actor.schemas.state.safeParse(stored)
  return parsed.success ? parsed.data : stored
}

/** @throws when the actor has made it up wrongly: a time that is none, or a command that it does not take */
export function alarmOf(actor: AnyActor, state: unknown): Alarm<Tagged> | undefined {
  const alarm = actor.alarm?.(state as never)
  if (!alarm) return undefined
  const at = new Date(alarm.at).toISOString()
  return { at, command: parseBy(actor.schemas.messages, alarm.command) as Tagged }
}

/** A stored state that does not fit has not ended: somebody has to look at it. */
export function hasEnded(actor: AnyActor, stored: unknown, at: string): boolean {
  const { success, data } = actor.schemas.state.safeParse(stored)
  return success && actor.hasEnded?.(data as never, at) === true
}

function outcomeOf(decision: Decision<Tagged>): Turn['outcome'] {
  if ('events' in decision) return 'accepted'
  return 'refuse' in decision ? 'refused' : 'ignored'
}

function becauseOf(decision: Decision<Tagged>): string | undefined {
  if ('events' in decision) return undefined
  return 'refuse' in decision ? decision.refuse : decision.ignore
}

function refusalOf(decision: Decision<Tagged>): Reply | undefined {
  return 'refuse' in decision ? { refused: decision.refuse, reason: decision.reason } : undefined
}

/** By its schema: what a booking remembers of its tickets is named like the public event, and is none. */
function isPublic(actor: AnyActor, { type }: Tagged): boolean {
  return publicEvents[type] === actor.schemas.events[type]
}

function parseEvent(actor: AnyActor, event: Tagged): Tagged {
  const schema = actor.schemas.events[event.type]
  if (!schema) throw new TypeError(`${actor.kind} has no event ${event.type}`)
  return schema.parse(event) as Tagged
}

function parseSend(messageId: string, { send, id, command }: Send): Identified<Send> {
  if (!isUuid(id)) throw new TypeError(`a send to ${send} ${id}, which is not a UUID`)
  return { messageId, send, id, command: parseBy(commandsByKind[send], command) } as Identified<Send>
}

function parseCall(messageId: string, { call, request }: Call): Identified<Call> {
  return { messageId, call, request: parseBy(requestsByService[call], request) } as Identified<Call>
}

function parseBy(family: Record<string, z.ZodType>, message: Tagged): unknown {
  const schema = family[message.type]
  if (!schema) throw new TypeError(`there is no message ${message.type} for whom it is meant for`)
  return schema.parse(message)
}

function counter(actor: string, messageId: string): () => string {
  let index = 0
  return () => deriveId(messageId, `${actor}/${index++}`)
}

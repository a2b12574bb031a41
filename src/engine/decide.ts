import type { Send } from '../../schemas/index.ts'
import type { AnyActor, Deadlines, Tagged } from '../actor/actor.ts'
import { isErased, withoutCustomer } from '../actor/erasure.ts'
import { partitionOf } from '../actor/ids.ts'
import { type Identified, restore, type Turn, takeTurn } from '../actor/turn.ts'
import {
  type Batch,
  deadLetterOf,
  disarm,
  enlist,
  faultOf,
  type Message,
  messageKeyOf,
  metaOfConsequence,
  metaOfTurn,
  noPayload,
  noteChange,
} from './batch.ts'
import { type ActorCache, type CachedActor, keyOf } from './cache.ts'
import { type Actors, type Fault, parseDelivery } from './parse.ts'
import type { OwnedPartition } from './partition.ts'
import type { Address, Delivery, DueAlarm, Meta, Pause, RecordedDecision, RecordedSend, Store } from './ports.ts'
import { ring, targetOf, wakeAfter } from './ring.ts'
import type { Tracer } from './trace-ports.ts'

export type Target = { partition: OwnedPartition; actor: AnyActor; to: Address /** `keyOf(to)`. */; key: string }

/** One message to decide: out of a mailbox, sent by a turn of this very batch, or from an alarm. */
export type Work = Target & {
  message: Tagged
  delivery: Message
  /** When it was accepted, RFC 3339 in UTC. */
  at: string
  /** How many sends lie between it and a mailbox or an alarm. */
  depth: number
  alarm?: DueAlarm
}

/** What deciding a batch needs to know of its surroundings. */
export type Surroundings = {
  actors: Actors
  cache: ActorCache
  load: Store['load']
  partitionCount: number
  deadlines: Deadlines
  /** The partition if this worker can commit to it. */
  owned(partition: number): OwnedPartition | undefined
  /** Whether this message has had its turn, as far as is known: it was looked up, or its commit is under way. */
  isRepeat(key: string): boolean
  noteTurn(key: string): void
  /** Of what Postgres refuses to commit on its own. */
  faultOf(item: Delivery | DueAlarm): Fault | undefined
  /** The pause that this actor is under, as far as is known. */
  pauseOf(address: Address): Pause | undefined
  tracer: Pick<Tracer, 'turn'>
}

/** A chain of sends that goes on for longer than this is a loop: it continues through the broker, in later batches. */
const maxDepth = 16
/** The sends of a batch that join it are bounded too, so that a commit stays short. */
const maxTurnsPerDelivery = 8

/**
 * Decides everything the deliveries ask for, on top of what is decided already. Sends to partitions that this worker
 * owns join the end of the batch, so a booking that takes three turns takes one commit.
 */
export async function decideBatch(around: Surroundings, batch: Batch): Promise<void> {
  const maxTurns = (batch.deliveries.length + batch.alarms.length) * maxTurnsPerDelivery
  // Before anything can fail: what is not admitted to a batch is not put back with it.
  const admitted = batch.deliveries.flatMap((delivery) => admit(around, batch, delivery))
  const alarms = batch.alarms.flatMap((alarm) => targetOf(around, alarm))
  await loadActors(around, batch, alarms)
  let work = [...alarms.flatMap((target) => ring(around, batch, target)), ...admitted]
  while (work.length > 0) {
    await loadActors(around, batch, work)
    const joined: Work[] = []
    for (const item of work) {
      const canJoin = item.depth < maxDepth && batch.turns.length + work.length + joined.length < maxTurns
      joined.push(...takeOneTurn(around, batch, item, canJoin))
    }
    work = joined
  }
}

/** Lets a delivery in: parsed, as work; faulty, as a dead letter. Either way its partition moves on. */
function admit(around: Surroundings, batch: Batch, delivery: Delivery): Work[] {
  const partition = around.owned(delivery.partition)
  if (!partition) throw new Error(`partition ${delivery.partition} is decided upon without being owned`)
  enlist(batch, partition)
  if (delivery.sequence > 0) partition.cursor = delivery.sequence
  const parsed = parseDelivery(around.actors, delivery)
  const fault = around.faultOf(delivery) ?? ('fault' in parsed ? parsed.fault : misrouting(around, delivery))
  if (fault) batch.deadLetters.push(deadLetterOf(delivery, fault))
  if (fault || 'fault' in parsed) return []
  const { to } = delivery
  const { actor, message } = parsed
  return [
    { partition, actor, to, key: keyOf(to), message, delivery, at: new Date(delivery.at).toISOString(), depth: 0 },
  ]
}

/** Whoever publishes below `mbx`, or maps by another number of partitions, must not make a second copy of an actor. */
function misrouting({ partitionCount }: Surroundings, { to, partition }: Delivery): Fault | undefined {
  const right = partitionOf(to.id, partitionCount)
  if (right === partition) return undefined
  const cause = `${keyOf(to)} lives in partition ${right} of ${partitionCount}; the message came in partition ${partition}`
  return { code: 'misrouted', cause }
}

function takeOneTurn(around: Surroundings, batch: Batch, given: Work, canJoin: boolean): Work[] {
  const actor = batch.actors.get(given.key) as CachedActor
  const work = isErased(actor.state) ? erased(given) : given
  const { partition, to, message, delivery, at } = work
  const { messageId } = delivery
  const messageKey = messageKeyOf(delivery)
  if (around.isRepeat(messageKey)) {
    batch.repeats.push(delivery)
    if (work.alarm) disarm(batch, actor)
    return []
  }
  const pause = around.pauseOf(to)
  if (pause) {
    const fault: Fault = { code: 'actor-paused', cause: `${pause.target} ${pause.name} is paused` }
    batch.setAside.push({ letter: deadLetterOf(delivery, fault), pause })
    if (work.alarm) disarm(batch, actor)
    return []
  }
  const isDelivered = work.depth === 0 && work.alarm === undefined
  const span = around.tracer.turn({ to, type: message.type, messageId, meta: delivery.meta, isDelivered })
  const meta = metaOfTurn(delivery.meta, span)
  let turn: Turn
  try {
    const context = { id: to.id, messageId, at, deadlines: around.deadlines }
    turn = takeTurn(work.actor, actor.state, message, context, meta.requestId === messageId)
  } catch (error) {
    batch.deadLetters.push(deadLetterOf(delivery, faultOf(error)))
    if (work.alarm) disarm(batch, actor)
    return []
  }

  const joined: Work[] = []
  const sends = turn.sends.map((send): RecordedSend => {
    const next = canJoin ? join(around, work, meta, send, turn.reply !== undefined) : undefined
    if (!next) return { messageId: send.messageId, send: send.send, id: send.id, command: send.command }
    joined.push(next)
    return { joined: send.messageId, send: send.send, id: send.id }
  })
  enlist(batch, partition)
  noteChange(batch, actor)
  actor.state = turn.state
  actor.version += 1
  actor.wake = wakeAfter(turn, actor.wake, meta, work.alarm)
  partition.head += 1
  const position = partition.head
  const { kind, id: actorId } = to
  const { version } = actor
  const decision = recordOf(turn, sends)
  const record = { partition: partition.id, position, kind, actorId, version, messageId, at, message, meta, decision }
  batch.turns.push(record)
  batch.messageKeys.push(messageKey)
  if (span) batch.spans.set(record, span)
  around.noteTurn(messageKey)
  return joined
}

/** Whatever becomes of the message, it does not bring back a customer who was erased. */
function erased(work: Work): Work {
  const message = withoutCustomer(work.message)
  if (message === work.message) return work
  return { ...work, message, delivery: { ...work.delivery, command: message } }
}

/** A send becomes a turn of the same batch when this worker can commit to its target. */
function join(
  around: Surroundings,
  sender: Work,
  senderMeta: Meta,
  send: Identified<Send>,
  isAnswered: boolean,
): Work | undefined {
  const partition = around.owned(partitionOf(send.id, around.partitionCount))
  const actor = around.actors[send.send]
  if (!partition || partition.isLeaving || !actor) return undefined
  const to = { kind: send.send, id: send.id }
  const delivery = {
    partition: partition.id,
    to,
    type: send.command.type,
    messageId: send.messageId,
    meta: metaOfConsequence(senderMeta, sender.delivery.messageId, isAnswered),
    headers: {},
    payload: noPayload,
    command: send.command,
    at: sender.delivery.at,
  }
  const { at } = sender
  return { partition, actor, to, key: keyOf(to), message: send.command, delivery, at, depth: sender.depth + 1 }
}

/** Pins the actors of the work; those that are not in memory, and may exist, come with one read for all. */
async function loadActors(around: Surroundings, batch: Batch, targets: Target[]): Promise<void> {
  const missing = new Map<string, CachedActor>()
  const addresses: (Address & { partition: number })[] = []
  for (const { to, key, partition, actor } of targets) {
    if (batch.actors.has(key) || missing.has(key)) continue
    const cached = around.cache.get(key)
    if (cached) {
      pin(batch, key, cached)
      continue
    }
    missing.set(key, newActor(to, key, partition, actor))
    if (!partition.isNew(to)) addresses.push({ ...to, partition: partition.id })
    partition.noteActor(to)
  }
  const stored = addresses.length > 0 ? await around.load(addresses) : []
  for (const { version, state, wake, ...address } of stored) {
    const actor = around.actors[address.kind]
    Object.assign(missing.get(keyOf(address)) ?? {}, { version, state: actor ? restore(actor, state) : state, wake })
  }
  for (const [key, actor] of missing) {
    pin(batch, key, actor)
    around.cache.add(actor)
  }
}

function newActor({ kind, id }: Address, key: string, partition: OwnedPartition, { initial }: AnyActor): CachedActor {
  return { kind, id, key, partition, version: 0, state: initial, wake: undefined, pins: 0 }
}

function pin(batch: Batch, key: string, actor: CachedActor): void {
  actor.pins += 1
  batch.actors.set(key, actor)
}

function recordOf(
  { outcome, because, events, calls, publishes, reply }: Turn,
  sends: RecordedSend[],
): RecordedDecision {
  const decision: RecordedDecision = { outcome }
  if (because !== undefined) decision.because = because
  if (events.length > 0) decision.events = events
  if (sends.length > 0) decision.sends = sends
  if (calls.length > 0) decision.calls = calls
  if (publishes.length > 0) {
    decision.publishes = publishes.map(({ messageId, event }) => ({ messageId, index: events.indexOf(event) }))
  }
  if (reply) decision.reply = reply
  return decision
}

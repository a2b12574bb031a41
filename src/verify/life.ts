import { z } from 'zod'
import type { AnyActor, Tagged } from '../actor/actor.ts'
import { outcomeId, partitionOf } from '../actor/ids.ts'
import { fold, upcast } from '../actor/turn.ts'
import { keyOf } from '../engine/cache.ts'
import type { Actors } from '../engine/parse.ts'
import type { Address, TurnRecord } from '../engine/ports.ts'
import { eventsOf } from './events.ts'
import type { Findings } from './findings.ts'
import type { Rows } from './rows.ts'

/** An actor, as far as its turns have been followed. */
export type Life = {
  address: Address & { partition: number }
  /** Nothing when there is no such kind. */
  actor: AnyActor | undefined
  version: number
  state: unknown
  /** As it was at the moment that the partitions are compared at. */
  stateAtCut: unknown
  /** The calls without an outcome, by the id of the message that is going to bring it. */
  calls: Map<string, Called>
  refunds: { payments: number; rows: number; done: number }
  /** Its rows in the read models, as far as those have come. */
  rows: Rows
}

/** What a turn called for. */
export type Called = { turn: TurnRecord; messageId: string; outcome: string; what: string }

export type Rules = { actors: Actors; partitions: number; findings: Findings }

export function beginLife({ kind, actorId: id, partition }: TurnRecord, { actors, partitions, findings }: Rules): Life {
  const actor = Object.hasOwn(actors, kind) ? actors[kind] : undefined
  const home = partitionOf(id, partitions)
  findings.look('homes')
  if (home !== partition) {
    const where = keyOf({ kind, id })
    findings.differ('homes', { where, expected: `partition ${home}`, found: `partition ${partition}` })
  }
  return {
    address: { kind, id, partition },
    actor,
    version: 0,
    state: actor?.initial,
    stateAtCut: actor?.initial,
    calls: new Map(),
    refunds: { payments: 0, rows: 0, done: 0 },
    rows: new Map(),
  }
}

/** @param cut the position up to which its partition counts when partitions are compared */
export function follow(life: Life, turn: TurnRecord, cut: number, findings: Findings): void {
  findings.look('versions')
  if (turn.version !== life.version + 1) {
    findings.differ('versions', differenceAt(turn, `version ${life.version + 1}`, `version ${turn.version}`))
  }
  life.version = turn.version
  for (const event of eventsOf(turn)) {
    findings.look('events')
    const fault = evolve(life, event)
    if (fault !== undefined) findings.differ('events', differenceAt(turn, `a valid ${event.type}`, fault))
    if (event.type === 'TicketRefunded_v1' && turn.kind === 'ticket') life.refunds.done += 1
  }
  if (turn.position <= cut) life.stateAtCut = life.state
  followCalls(life, turn, findings)
}

/** @returns what is wrong with the event, if anything is */
function evolve(life: Life, said: Tagged): string | undefined {
  const { actor } = life
  const event = actor ? upcast(actor, said) : said
  const schema = actor && Object.hasOwn(actor.schemas.events, event.type) ? actor.schemas.events[event.type] : undefined
  if (!actor || !schema) return `${life.address.kind} knows no event of this name`
  const { error } = schema.safeParse(event)
  try {
    life.state = fold(actor, life.state, [event])
  } catch (thrown) {
    return `it cannot evolve by ${JSON.stringify(event)}: ${thrown}`
  }
  return error && `${JSON.stringify(event)}: ${z.prettifyError(error)}`
}

function followCalls({ calls, refunds }: Life, turn: TurnRecord, findings: Findings): void {
  calls.delete(turn.messageId)
  for (const { messageId, call, request } of turn.decision.calls ?? []) {
    const outcome = outcomeId(messageId)
    findings.look('calls')
    calls.set(outcome, { turn, messageId, outcome, what: `${call} ${request.type}` })
    if (call === 'payments') refunds.payments += 1
    if ('sheet' in request && request.sheet === 'tickets-to-refund') refunds.rows += 1
  }
}

/** A difference in what this turn says. */
export function differenceAt({ kind, actorId, version }: TurnRecord, expected: string, found: string) {
  const look = `turnstile journal show ${kind} ${actorId} --at ${version}`
  return { where: `${kind}.${actorId} version ${version}`, expected, found, look }
}

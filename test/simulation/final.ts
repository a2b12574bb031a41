import { seatsHeld } from '../../actors/seats.ts'
import type { BookingState } from '../../schemas/booking.ts'
import type { ShowState } from '../../schemas/show.ts'
import type { TicketState } from '../../schemas/ticket.ts'
import type { AnyActor } from '../../src/actor/actor.ts'
import { partitionOf } from '../../src/actor/ids.ts'
import { fold } from '../../src/actor/turn.ts'
import { messageKeyOf } from '../../src/engine/batch.ts'
import type { TurnRecord } from '../../src/engine/ports.ts'
import type { AnyProjection } from '../../src/projections/projection.ts'
import type { MemoryStore } from '../../src/store/memory.ts'
import type { MemoryProjections } from '../../src/store/memory-projections.ts'
import { bundleFaults } from './bundles.ts'
import type { Asked } from './clients.ts'
import { isSameJson } from './json.ts'
import { readModelFaults } from './read-models.ts'
import type { Journeys } from './transportation.ts'
import type { Violation, Witness } from './witness.ts'

export type End = {
  actors: Record<string, AnyActor>
  partitions: number
  store: MemoryStore
  witness: Witness
  journeys: Journeys
  readModels: AnyProjection[]
  projections: MemoryProjections
  asked: Iterable<Asked>
}

export type Folded = { kind: string; id: string; version: number; state: unknown }

/** Reads the whole store, once everything has come to its end, and finds the first thing that does not agree. */
export async function findFaults(end: End): Promise<Violation | undefined> {
  const journal = await readJournals(end)
  const folded = foldAll(end, journal)
  const all = [
    ...journalFaults(end, journal),
    ...(await stateFaults(end, folded)),
    ...acknowledgedFaults(end, journal),
    ...seatFaults(folded),
    ...ticketFaults(end, folded),
    ...bundleFaults(end, folded, journal),
    ...readModelFaults(end.readModels, end.projections, journal),
  ]
  return all[0]
}

async function readJournals({ store, partitions }: End): Promise<TurnRecord[]> {
  const all: TurnRecord[] = []
  for (let id = 0; id < partitions; id++) all.push(...(await store.readJournal(id, 0, Number.POSITIVE_INFINITY)))
  return all
}

function foldAll({ actors }: End, journal: TurnRecord[]): Map<string, Folded> {
  const folded = new Map<string, Folded>()
  for (const { kind, actorId: id, decision } of journal) {
    const actor = actors[kind] as AnyActor
    const before = folded.get(`${kind}.${id}`) ?? { kind, id, version: 0, state: actor.initial }
    const state = fold(actor, before.state, decision.events ?? [])
    folded.set(`${kind}.${id}`, { ...before, version: before.version + 1, state })
  }
  return folded
}

/** The journal holds what was seen to be committed, and nothing else. */
function* journalFaults({ witness }: End, journal: TurnRecord[]): Generator<Violation> {
  if (journal.length !== witness.turns.size) {
    yield { invariant: 'the journal keeps all turns', details: `${journal.length} of ${witness.turns.size}` }
  }
  const lastPositions = new Map<number, number>()
  for (const { partition, position } of journal) {
    const expected = (lastPositions.get(partition) ?? 0) + 1
    if (position !== expected) {
      yield { invariant: 'positions run 1, 2, 3 …', details: `partition ${partition}: ${position} for ${expected}` }
    }
    lastPositions.set(partition, position)
  }
}

async function stateFaults({ store, partitions, witness }: End, folded: Map<string, Folded>): Promise<Violation[]> {
  const faults: Violation[] = []
  const armed = new Map<number, number>()
  for (const [key, { kind, id, version, state }] of folded) {
    const partition = partitionOf(id, partitions)
    const stored = await store.actor({ kind, id, partition })
    const isFold = stored?.version === version && isSameJson(stored.state, state)
    if (!isFold) faults.push({ invariant: 'state = fold(journal)', details: `${key}, version ${version}` })
    if (stored?.wake) armed.set(partition, (armed.get(partition) ?? 0) + 1)
    if (stored?.wake && witness.actors.get(key)?.alarm === undefined) {
      faults.push({ invariant: 'the alarm is stored with the state', details: `${key} is still armed` })
    }
  }
  for (const { id, armed: count } of await store.readPartitions(Array.from({ length: partitions }, (_, id) => id))) {
    if (count !== (armed.get(id) ?? 0)) {
      faults.push({ invariant: 'armed counts the alarms', details: `${id}: ${count} for ${armed.get(id) ?? 0}` })
    }
  }
  return faults
}

function* acknowledgedFaults({ asked, witness }: End, journal: TurnRecord[]): Generator<Violation> {
  const turns = new Map<string, number>()
  for (const { kind, actorId: id, messageId } of journal) {
    const key = messageKeyOf({ to: { kind, id }, messageId })
    turns.set(key, (turns.get(key) ?? 0) + 1)
  }
  for (const { command, reply } of asked) {
    const key = messageKeyOf({ to: command.address, messageId: command.messageId })
    const count = turns.get(key) ?? 0
    if (reply && 'ok' in reply && count !== 1) {
      yield { invariant: 'an acknowledged command is in the journal once', details: `${key}: ${count} times` }
    }
    if (count === 0 && !witness.letters.has(key)) {
      yield { invariant: 'a command is decided or set aside', details: key }
    }
  }
}

function* seatFaults(folded: Map<string, Folded>): Generator<Violation> {
  const held = new Map<string, number>()
  for (const { kind, id, state } of folded.values()) {
    if (kind !== 'booking') continue
    const booking = state as BookingState
    const isWaiting = booking.status === 'made' && Object.keys(booking.tickets).length < booking.number_of_tickets
    if (booking.status === 'reserving' || isWaiting)
      yield { invariant: 'every booking ends', details: `${id} still waits for ${isWaiting ? 'tickets' : 'seats'}` }
    if ('show_id' in booking) held.set(booking.show_id, (held.get(booking.show_id) ?? 0) + seatsHeld(booking))
  }
  for (const { kind, id, state } of folded.values()) {
    const show = state as ShowState
    if (kind !== 'show' || show.status !== 'on-sale' || show.reserved === (held.get(id) ?? 0)) continue
    const details = `show ${id}: ${show.reserved} reserved, ${held.get(id) ?? 0} held by bookings`
    yield { invariant: 'sold + free = capacity', details }
  }
}

/** What was to be done for a ticket was done, but for what was refused: that is a dead letter. */
function* ticketFaults({ witness }: End, folded: Map<string, Folded>): Generator<Violation> {
  const setAside = new Set([...witness.letters.values()].map(({ actorId, type }) => `${type} ${actorId}`))
  for (const { kind, id, state } of folded.values()) {
    if (kind !== 'ticket') continue
    const ticket = state as TicketState
    if (ticket.status === 'unknown') continue
    const isDone = (action: string): boolean => witness.deeds.has(`${action} ${id}`)
    const [isRefunded, isInSheet] = [isDone('payment refunded'), isDone('row in tickets-to-refund')]
    const gotMoney = Number(isRefunded) + Number(isInSheet)
    if (gotMoney > 1) yield { invariant: 'money goes back once', details: `ticket ${id}` }
    if (isRefunded && !isDone('receipt voided')) {
      yield { invariant: 'a receipt is voided before its payment is refunded', details: `ticket ${id}` }
    }
    if ((ticket.status === 'confirmed' || ticket.status === 'refunding') && gotMoney > 0) {
      const isExcused = ticket.status === 'refunding' && setAside.has(`RefundPayment ${id}`)
      if (!isExcused) yield { invariant: 'only what was taken goes back', details: `ticket ${id} is ${ticket.status}` }
    }
    const due: [boolean, string, string][] = [
      [ticket.status === 'refunded', 'payment refunded', 'RefundPayment'],
      [ticket.status === 'canceled', 'row in tickets-to-refund', 'AppendRow'],
      [ticket.status === 'confirmed', 'receipt issued', 'IssueReceipt'],
      [ticket.status === 'confirmed', 'file stored', 'StoreFile'],
      [ticket.status === 'confirmed', 'row in tickets-to-print', 'AppendRow'],
    ]
    for (const [isDue, action, request] of due) {
      if (isDue && !isDone(action) && !setAside.has(`${request} ${id}`)) {
        yield { invariant: 'every effect comes to its end', details: `ticket ${id}: no ${action}` }
      }
    }
  }
}

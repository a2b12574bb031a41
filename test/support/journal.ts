import assert from 'node:assert/strict'
import type { Tagged } from '../../src/actor/actor.ts'
import { deriveId, partitionOf } from '../../src/actor/ids.ts'
import type { PartitionRow, Store, TurnRecord } from '../../src/engine/ports.ts'
import { afterwards, batchOf, joined, stream } from '../../src/store/store.fixtures.ts'

/** Journals of any length, written past the engine: what read models are made of. */

type Step = { kind: string; actorId: string; events: Tagged[] }

export const idOf = (name: string): string => deriveId('journal', name)
export const bookingId = (n: number): string => idOf(`booking ${n}`)

const startMs = Date.parse('2026-12-01T00:00:00Z')
const order = { number_of_tickets: 2, customer_email: 'kate@example.com' }

/** The turns of one booking and its two tickets, of which some end early, come from elsewhere, or wait for a service. */
function* bookingStory(n: number): Generator<Step> {
  const [showId, booking_id] = [idOf(`show ${n % 10}`), bookingId(n)]
  const show = (...events: object[]) => ({ kind: 'show', actorId: showId, events: events as Tagged[] })
  const booking = (...events: object[]) => ({ kind: 'booking', actorId: booking_id, events: events as Tagged[] })
  if (n < 10) yield show({ type: 'ShowCreated_v1', ...showOf(n), number_of_tickets: 10_000_000 })
  const requested_at = new Date(startMs + n * 1_000).toISOString()
  yield booking({ type: 'BookingRequested_v1', show_id: showId, ...order, requested_at })
  yield show({ type: 'SeatsReserved_v1', booking_id, number_of_tickets: 2 })
  if (n % 17 === 0) return yield booking({ type: 'BookingFailed_v1', booking_id, failure_reason: 'sold out' })
  yield booking({ type: 'BookingMade_v1', booking_id, show_id: showId, ...order })
  yield booking()
  for (const seat of [0, 1]) yield* ticketStory(n * 2 + seat, n % 11 === 0 ? '' : booking_id)
  if (n % 13 === 0) yield booking({ type: 'BookingCanceled_v1' })
}

function* ticketStory(n: number, booking_id: string): Generator<Step> {
  const ticket_id = idOf(`ticket ${n}`)
  const names = { ticket_id, booking_id }
  const details = { customer_email: 'kate@example.com', price: { amount: `${n % 100}.50`, currency: 'EUR' } }
  const ticket = (...events: object[]) => ({ kind: 'ticket', actorId: ticket_id, events: events as Tagged[] })
  if (n % 19 === 0) return yield ticket({ type: 'TicketBookingCanceled_v1', ...names, ...details })
  yield ticket({ type: 'TicketBookingConfirmed_v1', ...names, ...details })
  const issued_at = new Date(startMs + n * 60_000).toISOString()
  yield ticket({ type: 'TicketReceiptIssued_v1', ...names, receipt_number: `R-${n}`, issued_at })
  yield ticket({ type: 'TicketPrinted_v1', ...names, file_name: `${ticket_id}-ticket.html` })
  yield ticket({ type: 'RowAppended_v1', sheet: 'tickets-to-print' })
  if (n % 7 === 0) yield ticket({ type: 'TicketBookingCanceled_v1', ...names, ...details })
  else if (n % 5 === 0) {
    yield ticket({ type: 'RefundRequested_v1' })
    yield ticket({ type: 'TicketRefunded_v1', ...names })
  }
}

function showOf(n: number) {
  return {
    dead_nation_id: idOf(`dead nation ${n}`),
    title: `Show ${n}`,
    venue: 'Lyceum',
    start_time: '2027-01-01T20:00:00.000Z',
  }
}

export type Journal = Awaited<ReturnType<typeof openJournal>>

/** Takes all partitions of a database that no worker is alive on, and writes bookings into it. */
export async function openJournal(store: Store, partitions: number) {
  await store.heartbeat('the journal', 600_000, 0)
  const claimed = await store.claim(
    'the journal',
    Array.from({ length: partitions }, (_, id) => id),
    stream,
  )
  const rows = new Map<number, PartitionRow>(claimed.map((row) => [row.id, row]))
  const versions = new Map<string, number>()
  let bookings = 0
  let turns = 0

  async function commit(steps: Step[]): Promise<void> {
    const byPartition = new Map<number, Partial<TurnRecord>[]>()
    for (const { kind, actorId, events } of steps) {
      const version = (versions.get(actorId) ?? 0) + 1
      versions.set(actorId, version)
      const partition = partitionOf(actorId, partitions)
      const own = byPartition.get(partition) ?? []
      byPartition.set(partition, own)
      const at = new Date(startMs + turns * 10).toISOString()
      const decision = { outcome: 'accepted' as const, ...(events.length > 0 && { events }) }
      own.push({ kind, actorId, version, at, decision })
      turns += 1
    }
    const batches = [...byPartition].map(([id, own]) => batchOf(rows.get(id) as PartitionRow, ...own))
    const batch = batches.reduce(joined)
    assert.deepEqual(await store.commit(batch), { outcome: 'committed' })
    for (const [id, row] of rows) rows.set(id, afterwards(row, batch))
  }

  return {
    get bookings() {
      return bookings
    },
    get turns() {
      return turns
    },
    /** So many more bookings, a few hundred turns to a commit. */
    async write(count: number): Promise<void> {
      let steps: Step[] = []
      for (let i = 0; i < count; i++) {
        steps.push(...bookingStory(bookings++))
        if (steps.length < 500 && i < count - 1) continue
        await commit(steps)
        steps = []
      }
    },
  }
}

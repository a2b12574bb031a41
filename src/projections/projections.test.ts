import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Tagged } from '../actor/actor.ts'
import type { JournaledEvents, ReadRow } from '../engine/read-model-ports.ts'
import { bookings } from './bookings.ts'
import { fold } from './fold.ts'
import { opsBookings } from './ops-bookings.ts'
import type { AnyProjection } from './projection.ts'
import { shows } from './shows.ts'
import { tickets } from './tickets.ts'
import { upcastTurn } from './upcast.ts'

const ticket_id = '5c0f1d9e-6f0b-4a57-9a0e-3f1f0a3b7c21'
const booking_id = '019389c7-1f3a-7b08-8c66-2d94e5b1a703'
const show_id = '019389c2-4c00-7d2e-9a51-6f1b0c7a8e44'
const price = { amount: '50.30', currency: 'EUR' }
const customer_email = 'ada@example.org'
const at = (minute: number) => `2026-12-01T09:${minute}:00.000Z`

/** The one row that these events of one actor lead to, a turn a minute from 9:10 on. */
function rowAfter(projection: AnyProjection, kind: string, actorId: string, ...events: Tagged[]): object | undefined {
  const turns = events.map((event, index): JournaledEvents => {
    return { partition: 1, position: index + 1, kind, actorId, version: index + 1, at: at(10 + index), events: [event] }
  })
  const stretches = [{ partition: 1, after: 0, upTo: turns.length }]
  // In one step and turn by turn: the rows that are read back are those that were written.
  const { changes } = fold({ target: { name: projection.name, projection }, stretches, turns }, [])
  let rows: ReadRow[] = []
  for (const turn of turns) {
    const load = { target: { name: projection.name, projection }, stretches, turns: [turn] }
    const { put, gone } = fold(load, rows).changes
    if (put.length + gone.length > 0) rows = put
  }
  assert.deepEqual(rows, changes.put)
  return changes.put[0]?.fields
}

const names = { ticket_id, booking_id }
const confirmed = { type: 'TicketBookingConfirmed_v1', ...names, customer_email, price }
const canceled = { ...confirmed, type: 'TicketBookingCanceled_v1' }
const receipt = {
  type: 'TicketReceiptIssued_v1',
  ...names,
  receipt_number: 'R-1',
  issued_at: '2026-11-30T23:59:00.000Z',
}
const printed = { type: 'TicketPrinted_v1', ...names, file_name: 'x-ticket.html' }
const refundRequested = { type: 'RefundRequested_v1' }
const refunded = { type: 'TicketRefunded_v1', ...names }
const appended = { type: 'RowAppended_v1', sheet: 'tickets-to-print' }

describe('tickets', () => {
  const after = (...events: Tagged[]) => rowAfter(tickets, 'ticket', ticket_id, ...events)

  test('a confirmed one is listed until its money is back or it is canceled', () => {
    const listed = { ticket_id, customer_email, price }
    assert.deepEqual(after(confirmed), listed)
    assert.deepEqual(after(confirmed, receipt, printed, appended, refundRequested), listed)
    assert.equal(after(confirmed, refundRequested, refunded), undefined)
    assert.equal(after(confirmed, canceled), undefined)
    assert.equal(after(canceled), undefined)
  })
})

describe('ops_bookings', () => {
  const ofBooking = (...events: Tagged[]) => rowAfter(opsBookings, 'booking', booking_id, ...events)
  const ofTicket = (...events: Tagged[]) => rowAfter(opsBookings, 'ticket', ticket_id, ...events)
  const order = { show_id, number_of_tickets: 2, customer_email }
  const requested = { type: 'BookingRequested_v2', ...order, requested_at: at(9), deadline_at: at(24) }
  const made = { type: 'BookingMade_v1', booking_id, ...order }
  const failed = { type: 'BookingFailed_v1', booking_id, failure_reason: 'no' }

  test('a booking is there once it was made', () => {
    assert.equal(ofBooking(requested), undefined)
    assert.equal(ofBooking(requested, failed), undefined)
    assert.equal(ofBooking(requested, { type: 'BookingCanceled_v1' }), undefined)
    assert.deepEqual(ofBooking(requested, made), { booking_id, booked_at: at(11), last_update: at(11) })
    assert.deepEqual(ofBooking(requested, made, failed), { booking_id, booked_at: at(11), last_update: at(12) })
    assert.deepEqual(ofBooking(requested, made, { type: 'TicketsOrdered_v1' }, { type: 'BookingCanceled_v1' }), {
      booking_id,
      booked_at: at(11),
      last_update: at(13),
    })
  })

  const ticket = {
    booking_id,
    price_amount: '50.30',
    price_currency: 'EUR',
    customer_email,
    confirmed_at: at(10),
    refunded_at: '0001-01-01T00:00:00Z',
    printed_at: '0001-01-01T00:00:00Z',
    printed_file_name: '',
    receipt_issued_at: '0001-01-01T00:00:00Z',
    receipt_number: '',
    last_update: at(10),
  }

  test('a ticket has zero times and empty texts until things come', () => {
    assert.deepEqual(ofTicket(confirmed), ticket)
    assert.deepEqual(ofTicket(confirmed, appended), ticket)
  })

  test('each step is noted, in any order, with its time; the receipt with that of its service', () => {
    const stored = { printed_file_name: 'x-ticket.html', receipt_number: 'R-1', receipt_issued_at: receipt.issued_at }
    assert.deepEqual(ofTicket(confirmed, printed, receipt), {
      ...ticket,
      ...stored,
      printed_at: at(11),
      last_update: at(12),
    })
    assert.deepEqual(ofTicket(confirmed, receipt, printed, refundRequested, refunded), {
      ...ticket,
      ...stored,
      printed_at: at(12),
      refunded_at: at(14),
      last_update: at(14),
    })
  })

  test('a canceled ticket stays, also one that was never confirmed', () => {
    assert.deepEqual(ofTicket(confirmed, canceled), { ...ticket, last_update: at(11) })
    assert.deepEqual(ofTicket(canceled), { ...ticket, confirmed_at: '0001-01-01T00:00:00Z' })
  })

  test('a ticket without a booking is in none', () => {
    const alone = { booking_id: '' }
    assert.equal(ofTicket({ ...confirmed, ...alone } as Tagged, receipt, printed, refunded), undefined)
    assert.equal(ofTicket({ ...canceled, ...alone } as Tagged), undefined)
  })
})

test('bookings: each says what became of it', () => {
  const after = (...events: Tagged[]) => rowAfter(bookings, 'booking', booking_id, ...events)
  const order = { show_id, number_of_tickets: 2, customer_email }
  const requested = { type: 'BookingRequested_v2', ...order, requested_at: at(9), deadline_at: at(24) }
  const made = { type: 'BookingMade_v1', booking_id, ...order }
  const failed = { type: 'BookingFailed_v1', booking_id, failure_reason: 'no' }
  const listed = { booking_id, status: 'reserving', ...order, requested_at: at(9), deadline_at: at(24) }
  assert.deepEqual(after(requested), listed)
  assert.deepEqual(after(requested, made), { ...listed, status: 'made' })
  assert.deepEqual(after(requested, failed), { ...listed, status: 'failed', failure_reason: 'no' })
  assert.deepEqual(after(requested, made, { type: 'BookingCanceled_v1' }), { ...listed, status: 'canceled' })
})

test('an event of an earlier version reaches the projections as one of today', () => {
  const asked = { show_id, number_of_tickets: 2, customer_email, requested_at: at(10) }
  const facts = { partition: 1, position: 1, version: 1, kind: 'booking', actorId: booking_id, at: at(10) }
  const said = { ...facts, events: [{ type: 'BookingRequested_v1', ...asked }] }
  assert.deepEqual(upcastTurn(said).events, [{ type: 'BookingRequested_v2', ...asked, deadline_at: at(25) }])
})

test('shows: each counts its seats', () => {
  const details = { dead_nation_id: show_id, title: 'A', venue: 'B', start_time: at(0) }
  const created = { type: 'ShowCreated_v1', ...details, number_of_tickets: 10 }
  const reserved = { type: 'SeatsReserved_v1', booking_id, number_of_tickets: 3 }
  const released = { type: 'SeatsReleased_v1', booking_id, number_of_tickets: 1 }
  const after = (...events: Tagged[]) => rowAfter(shows, 'show', show_id, ...events)
  const listed = { show_id, ...details, number_of_tickets: 10 }
  assert.deepEqual(after(created), { ...listed, seats_reserved: 0, seats_left: 10 })
  assert.deepEqual(after(created, reserved, reserved, released), { ...listed, seats_reserved: 5, seats_left: 5 })
})

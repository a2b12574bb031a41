import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { BookingCommand, BookingEvent } from '../schemas/booking.ts'
import type { Intent } from '../schemas/index.ts'
import type { Decision } from '../src/actor/actor.ts'
import { anyContext, given } from '../test/support/given.ts'
import { booking } from './booking.ts'

/** A booking of two tickets that a bundle asked for: its deadline, and what the bundle is told. */

const bookingId = anyContext.id
const bundleId = '01900000-0000-7000-8000-0000000000bb'
const showId = '01900000-0000-7000-8000-000000000002'
const [first = '', second = ''] = ['1', '2'].map((digit) => `01900000-0000-7000-8000-00000000020${digit}`)
const order = { show_id: showId, number_of_tickets: 2, customer_email: 'kate@example.com' }
const deadline_at = '2026-01-02T03:19:05.000Z'

const requested: BookingEvent = {
  type: 'BookingRequested_v2',
  ...order,
  bundle_id: bundleId,
  requested_at: anyContext.at,
  deadline_at,
}
const made: BookingEvent = { type: 'BookingMade_v1', booking_id: bookingId, ...order }
const canceled: BookingEvent = { type: 'BookingCanceled_v1' }
const noneExpected: BookingEvent = { type: 'NoTicketsExpected_v1' }
const isConfirmed = (ticket_id: string): BookingEvent => ({ type: 'TicketConfirmed_v1', ticket_id })
const cameLate = (ticket_id: string): BookingEvent => ({ type: 'TicketCameLate_v1', ticket_id })
const isCanceled = (ticket_id: string): BookingEvent => ({ type: 'TicketCanceled_v1', ticket_id })
const isRefunded = (ticket_id: string): BookingEvent => ({ type: 'TicketRefunded_v1', ticket_id })
const failed = (failure_reason: string): BookingEvent => {
  return { type: 'BookingFailed_v1', booking_id: bookingId, failure_reason }
}

const passed: BookingCommand = { type: 'DeadlinePassed' }
const due = { at: deadline_at }

const eventsOf = (decision: Decision<BookingEvent>) => ('events' in decision ? decision.events : [])
/** What follows, in a few words. */
function asksOf(decision: Decision<BookingEvent>): string[] {
  const intents: Intent[] = ('then' in decision ? decision.then : undefined) ?? []
  return intents.map((intent) => {
    if ('call' in intent) return intent.request.type
    const { command } = intent
    if (command.type === 'ReleaseSeats') return `release ${command.number_of_tickets}`
    if (command.type === 'RefundTicket') return `refund ${intent.id}`
    assert.ok(intent.id !== bundleId || ('booking_id' in command && command.booking_id === bookingId))
    return command.type
  })
}

describe('the deadline of a booking', () => {
  test('is kept from the beginning, with who asked', () => {
    const { decision } = given(booking).when({ type: 'BookShowTickets', bundle_id: bundleId, ...order })
    assert.deepEqual(eventsOf(decision), [requested])
  })

  test('fails it when a ticket is missing: free seats go back, what is confirmed is refunded', () => {
    const { decision } = given(booking, requested, made, isConfirmed(first)).when(passed, due)
    assert.deepEqual(eventsOf(decision), [failed('1 of 2 tickets were not confirmed in time')])
    assert.deepEqual(asksOf(decision), ['release 1', `refund ${first}`, 'BookingBroken'])
  })

  test('fails it when the show has not answered; seats that come then go back, and who asked is told', () => {
    const { decision } = given(booking, requested).when(passed, due)
    const [end] = eventsOf(decision)
    assert.deepEqual(end, failed('the show did not answer in time'))
    assert.deepEqual(asksOf(decision), ['BookingSettled', 'BookingBroken'])
    const seats = { show_id: showId, number_of_tickets: 2, dead_nation_id: showId }
    const late = given(booking, requested, end).when({ type: 'SeatsReserved', ...seats })
    late.thenRefused('not-waiting')
    assert.deepEqual(asksOf(late.decision), ['release 2'])
    const reply = { refused: 'booking-failed', reason: 'the show did not answer in time' }
    assert.deepEqual('reply' in late.decision && late.decision.reply, reply)
  })

  test('passes over tickets that are confirmed, canceled or refunded, and over a booking that has failed', () => {
    for (const news of [isConfirmed, isCanceled, isRefunded]) {
      given(booking, requested, made, isConfirmed(first), news(second)).when(passed, due).thenIgnored()
    }
    given(booking, requested, made, failed('no')).when(passed, due).thenIgnored()
    given(booking).when(passed, due).thenIgnored()
  })

  test('is not believed before its time', () => {
    for (const history of [[requested], [requested, made]]) {
      given(booking, ...history)
        .when(passed, { at: '2026-01-02T03:19:04.999Z' })
        .thenIgnored()
    }
  })

  test('has an alarm for as long as it decides something', () => {
    const alarmOf = (...history: BookingEvent[]) => booking.alarm?.(given(booking, ...history).state)?.at
    assert.equal(alarmOf(), undefined)
    assert.equal(alarmOf(requested), deadline_at)
    assert.equal(alarmOf(requested, made, isConfirmed(first)), deadline_at)
    assert.equal(alarmOf(requested, made, isConfirmed(first), isCanceled(second)), undefined)
    assert.equal(alarmOf(requested, made, canceled), deadline_at)
    assert.equal(alarmOf(requested, made, canceled, cameLate(first), cameLate(second)), undefined)
    assert.equal(alarmOf(requested, made, canceled, noneExpected), undefined)
    assert.equal(alarmOf(requested, made, failed('no')), undefined)
  })
})

describe('a ticket that is confirmed after the end', () => {
  const history = [requested, made, isConfirmed(first), failed('no')]

  test('is refunded, and keeps the booking from being settled until it is', () => {
    const late = given(booking, ...history).when({ type: 'TicketConfirmed', ticket_id: second })
    late.then({
      events: [cameLate(second)],
      then: [{ send: 'ticket', id: second, command: { type: 'RefundTicket' } }],
    })
    const other = given(booking, ...history, cameLate(second)).when({ type: 'TicketRefunded', ticket_id: first })
    assert.deepEqual(asksOf(other.decision), ['release 1'])
    const last = given(booking, ...history, isRefunded(first), cameLate(second))
    const settled = last.when({ type: 'TicketRefunded', ticket_id: second })
    assert.deepEqual(asksOf(settled.decision), ['BookingSettled'])
  })
})

describe('a bundle is told', () => {
  const told = (history: BookingEvent[], command: BookingCommand, context = {}) =>
    asksOf(given(booking, ...history).when(command, context).decision)

  test('that its booking is made', () => {
    const seats = { show_id: showId, number_of_tickets: 2, dead_nation_id: showId }
    assert.deepEqual(told([requested], { type: 'SeatsReserved', ...seats }), ['BookTickets', 'BookingMade'])
  })

  test('that the show is sold out, and that nothing is left to be undone', () => {
    const refused: BookingCommand = { type: 'SeatsRefused', show_id: showId, code: 'sold-out', reason: 'none left' }
    assert.deepEqual(told([requested], refused), ['BookingSettled', 'BookingBroken'])
  })

  test('that Dead Nation refuses: no ticket is expected then', () => {
    const refused: BookingCommand = { type: 'DeadNationRefused', reason: 'no' }
    assert.deepEqual(told([requested, made], refused), ['release 2', 'BookingSettled', 'BookingBroken'])
    assert.deepEqual(told([requested, made, canceled], refused), ['BookingSettled'])
  })

  test('that all tickets are confirmed, once they are', () => {
    const confirm = (ticket_id: string): BookingCommand => ({ type: 'TicketConfirmed', ticket_id })
    assert.deepEqual(told([requested, made], confirm(first)), [])
    assert.deepEqual(told([requested, made, isConfirmed(first)], confirm(second)), ['TicketsConfirmed'])
    assert.deepEqual(told([requested, made, isCanceled(first)], confirm(second)), [])
  })

  test('once that a ticket is gone', () => {
    for (const type of ['TicketCanceled', 'TicketRefunded'] as const) {
      const asks = ['release 1', 'BookingBroken']
      assert.deepEqual(told([requested, made, isConfirmed(first)], { type, ticket_id: first }), asks)
      assert.deepEqual(told([requested, made], { type, ticket_id: first }), asks)
      assert.deepEqual(told([requested, made, isCanceled(first)], { type, ticket_id: second }), ['release 1'])
    }
  })

  test('that it is canceled, and that it is settled when no ticket can come any more', () => {
    const cancel: BookingCommand = { type: 'CancelBooking' }
    assert.deepEqual(told([requested], cancel), ['BookingSettled', 'BookingBroken'])
    assert.deepEqual(told([requested, made], cancel), ['release 2', 'BookingBroken'])
    assert.deepEqual(told([requested, made, canceled], passed), [])
    assert.deepEqual(told([requested, made, canceled], passed, due), ['BookingSettled'])
    const one = [requested, made, isConfirmed(first), canceled]
    assert.deepEqual(told(one, passed, due), [])
    assert.deepEqual(told([...one, noneExpected], { type: 'TicketRefunded', ticket_id: first }), [
      'release 1',
      'BookingSettled',
    ])
    const both = [requested, made, isConfirmed(first), isConfirmed(second), canceled, isRefunded(first)]
    assert.deepEqual(told(both, { type: 'TicketCanceled', ticket_id: second }), ['release 1', 'BookingSettled'])
  })

  test('at once when it gives up what never began, and that never begins then', () => {
    const cancel: BookingCommand = { type: 'CancelBooking', bundle_id: bundleId }
    const withdrawn: BookingEvent = { type: 'BookingWithdrawn_v1', bundle_id: bundleId }
    const { decision } = given(booking).when(cancel)
    assert.deepEqual([eventsOf(decision), asksOf(decision)], [[withdrawn], ['BookingSettled']])
    given(booking, withdrawn)
      .when({ type: 'BookShowTickets', bundle_id: bundleId, ...order })
      .thenIgnored()
    given(booking, withdrawn).when({ type: 'CancelBooking' }).thenRefused('unknown-booking')
  })

  test('that a booking of somebody else is none of its own, and that one stays', () => {
    const { bundle_id: _, ...ofNobody } = requested as Extract<BookingEvent, { type: 'BookingRequested_v2' }>
    const refusal = given(booking, ofNobody, made).when({ type: 'CancelBooking', bundle_id: bundleId })
    refusal.thenRefused('wrong-bundle')
    assert.deepEqual(asksOf(refusal.decision), ['BookingSettled'])
  })

  test('and a booking of nobody tells nobody', () => {
    const { bundle_id: _, ...ofNobody } = requested as Extract<BookingEvent, { type: 'BookingRequested_v2' }>
    assert.deepEqual(told([ofNobody, made], { type: 'CancelBooking' }), ['release 2'])
    assert.deepEqual(told([ofNobody, made], passed, due), ['release 2'])
  })
})

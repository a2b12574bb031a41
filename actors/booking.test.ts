import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { BookingCommand, BookingEvent, BookingState } from '../schemas/booking.ts'
import type { Send } from '../schemas/index.ts'
import type { Decision } from '../src/actor/actor.ts'
import { fold } from '../src/actor/turn.ts'
import { anyContext, given } from '../test/support/given.ts'
import { booking } from './booking.ts'
import { seatsHeld } from './seats.ts'

const bookingId = anyContext.id
const showId = '01900000-0000-7000-8000-000000000002'
const deadNationId = '01900000-0000-7000-8000-0000000000dd'
const order = { show_id: showId, number_of_tickets: 3, customer_email: 'kate@example.com' }
const deadline = '2026-01-02T03:19:05.000Z'
const requested: BookingEvent = {
  type: 'BookingRequested_v2',
  ...order,
  requested_at: anyContext.at,
  deadline_at: deadline,
}
const made: BookingEvent = { type: 'BookingMade_v1', booking_id: bookingId, ...order }
const failed: BookingEvent = { type: 'BookingFailed_v1', booking_id: bookingId, failure_reason: 'sold out there too' }

const seatsReserved: BookingCommand = {
  type: 'SeatsReserved',
  show_id: showId,
  number_of_tickets: 3,
  dead_nation_id: deadNationId,
}
const release = {
  send: 'show' as const,
  id: showId,
  command: { type: 'ReleaseSeats' as const, booking_id: bookingId, number_of_tickets: 3 },
}

describe('a booking', () => {
  test('asks the show for seats', () => {
    given(booking)
      .when({ type: 'BookShowTickets', booking_id: bookingId, ...order })
      .then({
        events: [requested],
        then: [
          {
            send: 'show',
            id: showId,
            command: { type: 'ReserveSeats', booking_id: bookingId, number_of_tickets: 3 },
          },
        ],
      })
  })

  test('refuses a command whose booking_id is not its own', () => {
    given(booking)
      .when({ type: 'BookShowTickets', booking_id: showId, ...order })
      .thenRefused('wrong-booking')
  })

  test('is made once it has its seats: says so, answers, and orders the tickets', () => {
    given(booking, requested)
      .when(seatsReserved)
      .then({
        events: [made],
        then: [
          {
            call: 'dead-nation',
            request: {
              type: 'BookTickets',
              booking_id: bookingId,
              customer_address: 'kate@example.com',
              event_id: deadNationId,
              number_of_tickets: 3,
            },
          },
        ],
        reply: { ok: { booking_id: bookingId } },
      })
  })

  test('fails when the show has no seats, and answers why', () => {
    const reason = '3 seats asked for, 2 left'
    given(booking, requested)
      .when({ type: 'SeatsRefused', show_id: showId, code: 'sold-out', reason })
      .then({
        events: [{ type: 'BookingFailed_v1', booking_id: bookingId, failure_reason: reason }],
        reply: { refused: 'sold-out', reason },
      })
  })

  test('gives its seats back when Dead Nation refuses', () => {
    given(booking, requested, made)
      .when({ type: 'DeadNationRefused', reason: 'sold out there too' })
      .then({ events: [failed], then: [release] })
  })

  test('notes once that Dead Nation has accepted', () => {
    const accepted: BookingCommand = { type: 'DeadNationAccepted' }
    const first = given(booking, requested, made).when(accepted)
    first.then({ events: [{ type: 'TicketsOrdered_v1' }] })
    given(booking, requested, made, { type: 'TicketsOrdered_v1' }).when(accepted).thenIgnored()
  })

  test('that is asked again changes nothing, and is answered when it is made', () => {
    const again: BookingCommand = { type: 'BookShowTickets', ...order }
    given(booking, requested, made)
      .when(again)
      .then({ ignore: 'the booking is made already', reply: { ok: { booking_id: bookingId } } })
    given(booking, requested).when(again).thenIgnored()
    given(booking, requested, made, failed).when(again).thenIgnored()
  })

  test('gives back seats that it does not wait for', () => {
    for (const history of [[], [requested, made], [requested, made, failed]]) {
      const { decision } = given(booking, ...history).when(seatsReserved)
      assert.ok('refuse' in decision)
      assert.deepEqual(decision.then, [release])
    }
  })
})

describe('a booking and its tickets', () => {
  const ticketIds = ['1', '2', '3', '4'].map((digit) => `01900000-0000-7000-8000-0000000001${digit}0`)
  const [first = '', second = '', third = '', fourth = ''] = ticketIds
  const isConfirmed = (ticket_id: string): BookingEvent => ({ type: 'TicketConfirmed_v1', ticket_id })
  const isCanceled = (ticket_id: string): BookingEvent => ({ type: 'TicketCanceled_v1', ticket_id })
  const cameLate = (ticket_id: string): BookingEvent => ({ type: 'TicketCameLate_v1', ticket_id })
  const releaseOne = { ...release, command: { ...release.command, number_of_tickets: 1 } }
  const refundOf = (ticketId: string): Send => ({ send: 'ticket', id: ticketId, command: { type: 'RefundTicket' } })
  const intentsOf = (decision: Decision<BookingEvent>): unknown => ('then' in decision ? decision.then : undefined)

  test('notes each ticket once, and no more than it has seats', () => {
    const all = [first, second, third].map(isConfirmed)
    given(booking, requested, made)
      .when({ type: 'TicketConfirmed', ticket_id: first })
      .then({ events: [isConfirmed(first)], then: [] })
    given(booking, requested, made, isConfirmed(first))
      .when({ type: 'TicketConfirmed', ticket_id: first })
      .thenIgnored()
    for (const type of ['TicketConfirmed', 'TicketCanceled', 'TicketRefunded'] as const) {
      given(booking, requested, made, ...all)
        .when({ type, ticket_id: fourth })
        .thenIgnored()
    }
  })

  test('gives the seat of a canceled or refunded ticket back, once', () => {
    for (const type of ['TicketCanceled', 'TicketRefunded'] as const) {
      const news = { type, ticket_id: first }
      const gone = { events: [{ type: `${type}_v1` as const, ticket_id: first }], then: [releaseOne] }
      given(booking, requested, made).when(news).then(gone)
      given(booking, requested, made, isConfirmed(first)).when(news).then(gone)
      given(booking, requested, made, isCanceled(first)).when(news).thenIgnored()
    }
  })

  test('that is canceled gives back what is not confirmed and refunds what is', () => {
    const { decision } = given(booking, requested, made, isConfirmed(first)).when({ type: 'CancelBooking' })
    const releaseTwo = { ...release, command: { ...release.command, number_of_tickets: 2 } }
    assert.deepEqual(intentsOf(decision), [releaseTwo, refundOf(first)])
  })

  test('that has ended refunds a ticket confirmed later, and releases nothing a second time', () => {
    for (const end of [failed, { type: 'BookingCanceled_v1' } as const]) {
      given(booking, requested, made, end)
        .when({ type: 'TicketConfirmed', ticket_id: first })
        .then({ events: [cameLate(first)], then: [refundOf(first)] })
      given(booking, requested, made, end, cameLate(first))
        .when({ type: 'TicketRefunded', ticket_id: first })
        .then({ events: [{ type: 'TicketRefunded_v1', ticket_id: first }], then: [] })
    }
  })

  test('that was canceled while it waited for seats gives them back, and says so to who asked', () => {
    const { decision } = given(booking, requested, { type: 'BookingCanceled_v1' }).when(seatsReserved)
    assert.deepEqual(intentsOf(decision), [release])
    assert.equal(
      'reply' in decision && decision.reply && 'refused' in decision.reply && decision.reply.refused,
      'booking-canceled',
    )
  })

  test('is canceled once, is answered each time, and cannot be canceled before it exists', () => {
    given(booking).when({ type: 'CancelBooking' }).thenRefused('unknown-booking')
    for (const history of [
      [made, failed],
      [made, { type: 'BookingCanceled_v1' } as const],
    ]) {
      const { decision } = given(booking, requested, ...history).when({ type: 'CancelBooking' })
      assert.ok('ignore' in decision && decision.reply)
    }
  })
})

describe('whatever a booking is told', () => {
  const ticket_id = fc.constantFrom(...['1', '2', '3', '4', '5'].map((n) => `01900000-0000-7000-8000-00000000020${n}`))

  const command = fc.oneof(
    ticket_id.map((id): BookingCommand => ({ type: 'TicketConfirmed', ticket_id: id })),
    ticket_id.map((id): BookingCommand => ({ type: 'TicketCanceled', ticket_id: id })),
    ticket_id.map((id): BookingCommand => ({ type: 'TicketRefunded', ticket_id: id })),
    fc.constantFrom<BookingCommand>(
      { type: 'BookShowTickets', ...order },
      seatsReserved,
      { type: 'SeatsRefused', show_id: showId, code: 'sold-out', reason: 'none left' },
      { type: 'DeadNationAccepted' },
      { type: 'DeadNationRefused', reason: 'no' },
      { type: 'CancelBooking' },
      { type: 'DeadlinePassed' },
    ),
  )
  const at = fc.constantFrom(anyContext.at, deadline)
  const told = fc.array(fc.tuple(command, at), { maxLength: 30 })

  test('it holds the seats it was given and did not give back', () => {
    fc.assert(
      fc.property(told, (commands) => {
        const history: BookingEvent[] = []
        let held = 0
        for (const [message, at] of commands) {
          const { decision } = given(booking, ...history).when(message, { at })
          if (message.type === 'SeatsReserved') held += message.number_of_tickets
          const intents = ('then' in decision ? decision.then : undefined) ?? []
          for (const intent of intents) {
            if ('send' in intent && intent.command.type === 'ReleaseSeats') held -= intent.command.number_of_tickets
          }
          if ('events' in decision) history.push(...decision.events)
          const state = fold(booking, booking.initial, history) as BookingState
          assert.equal(held, seatsHeld(state))
        }
      }),
    )
  })

  test('it announces one end: made, failed and canceled once each, and only one of the last two', () => {
    fc.assert(
      fc.property(told, (commands) => {
        const history: BookingEvent[] = []
        for (const [message, at] of commands) {
          const { decision } = given(booking, ...history).when(message, { at })
          if ('events' in decision) history.push(...decision.events)
        }
        const count = (name: string): number => history.filter(({ type }) => type === name).length
        assert.ok(count('BookingMade_v1') <= 1)
        assert.ok(count('BookingFailed_v1') + count('BookingCanceled_v1') <= 1)
      }),
    )
  })
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { BookingCommand, BookingEvent, BookingState } from '../schemas/booking.ts'
import { fold } from '../src/actor/turn.ts'
import { anyContext, given } from '../test/support/given.ts'
import { booking } from './booking.ts'

const bookingId = anyContext.id
const showId = '01900000-0000-7000-8000-000000000002'
const deadNationId = '01900000-0000-7000-8000-0000000000dd'
const order = { show_id: showId, number_of_tickets: 3, customer_email: 'kate@example.com' }
const requested: BookingEvent = { type: 'BookingRequested_v1', ...order, requested_at: anyContext.at }
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

describe('whatever a booking is told', () => {
  const command = fc.constantFrom<BookingCommand>(
    { type: 'BookShowTickets', ...order },
    seatsReserved,
    { type: 'SeatsRefused', show_id: showId, code: 'sold-out', reason: 'none left' },
    { type: 'DeadNationAccepted' },
    { type: 'DeadNationRefused', reason: 'no' },
  )

  test('it holds the seats it was given and did not give back: its order while made, else none', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 20 }), (commands) => {
        const history: BookingEvent[] = []
        let held = 0
        for (const message of commands) {
          const { decision } = given(booking, ...history).when(message)
          if (message.type === 'SeatsReserved') held += message.number_of_tickets
          const intents = ('then' in decision ? decision.then : undefined) ?? []
          for (const intent of intents) {
            if ('send' in intent && intent.command.type === 'ReleaseSeats') held -= intent.command.number_of_tickets
          }
          if ('events' in decision) history.push(...decision.events)
          const state = fold(booking, booking.initial, history) as BookingState
          assert.equal(held, state.status === 'made' ? state.number_of_tickets : 0)
        }
      }),
    )
  })

  test('it announces one end: made or failed once each, and nothing after failure', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 20 }), (commands) => {
        const history: BookingEvent[] = []
        for (const message of commands) {
          const { decision } = given(booking, ...history).when(message)
          if ('events' in decision) history.push(...decision.events)
        }
        const names = history.map(({ type }) => type)
        assert.ok(names.filter((name) => name === 'BookingMade_v1').length <= 1)
        const failure = names.indexOf('BookingFailed_v1')
        if (failure >= 0) assert.equal(failure, names.length - 1)
      }),
    )
  })
})

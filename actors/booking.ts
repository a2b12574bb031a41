import {
  type BookingCommand,
  type BookingEvent,
  type BookingState,
  bookingCommands,
  bookingEvents,
  bookingState,
} from '../schemas/booking.ts'
import type { Send } from '../schemas/index.ts'
import type { Actor, Decision } from '../src/actor/actor.ts'

type Made = Extract<BookingState, { status: 'made' }>

/**
 * A booking wants seats of one show: it asks for them, and once it has them orders the tickets from Dead Nation.
 *
 *     unknown ──BookShowTickets──▶ reserving ──SeatsReserved──▶ made ──DeadNationRefused──▶ failed
 *                                      └───────SeatsRefused────────────────────────────────────▲
 *
 * Seats that reach a booking which does not wait for them go straight back to the show.
 */
export const booking: Actor<BookingState, BookingCommand, BookingEvent> = {
  kind: 'booking',
  schemas: { state: bookingState, messages: bookingCommands, events: bookingEvents },
  initial: { status: 'unknown' },

  decide: {
    BookShowTickets(state, { booking_id, show_id, number_of_tickets, customer_email }, { id, at }) {
      if (booking_id !== undefined && booking_id !== id) {
        return { refuse: 'wrong-booking', reason: `booking_id is ${booking_id}, but the subject names ${id}` }
      }
      if (state.status === 'made') return { ignore: 'the booking is made already', reply: { ok: { booking_id: id } } }
      if (state.status !== 'unknown') return { ignore: `the booking is ${state.status} already` }
      return {
        events: [{ type: 'BookingRequested_v1', show_id, number_of_tickets, customer_email, requested_at: at }],
        then: [{ send: 'show', id: show_id, command: { type: 'ReserveSeats', booking_id: id, number_of_tickets } }],
      }
    },

    SeatsReserved(state, { show_id, number_of_tickets, dead_nation_id }, { id }) {
      if (state.status !== 'reserving')
        return giveBack(id, show_id, number_of_tickets, `the booking is ${state.status}`)
      const { customer_email } = state
      const request = { booking_id: id, customer_address: customer_email, event_id: dead_nation_id, number_of_tickets }
      return {
        events: [{ type: 'BookingMade_v1', booking_id: id, show_id, number_of_tickets, customer_email }],
        then: [{ call: 'dead-nation', request: { type: 'BookTickets', ...request } }],
        reply: { ok: { booking_id: id } },
      }
    },

    SeatsRefused(state, { code, reason }, { id }) {
      if (state.status !== 'reserving') return { ignore: `the booking is ${state.status}` }
      return {
        events: [{ type: 'BookingFailed_v1', booking_id: id, failure_reason: reason }],
        reply: { refused: code, reason },
      }
    },

    DeadNationAccepted(state) {
      if (state.status !== 'made') return { ignore: `the booking is ${state.status}` }
      if (state.tickets_ordered) return { ignore: 'the tickets are ordered already' }
      return { events: [{ type: 'TicketsOrdered_v1' }] }
    },

    DeadNationRefused(state, { reason }, { id }) {
      if (state.status !== 'made') return { ignore: `the booking is ${state.status}` }
      return {
        events: [{ type: 'BookingFailed_v1', booking_id: id, failure_reason: reason }],
        then: [releaseSeats(id, state.show_id, state.number_of_tickets)],
      }
    },
  },

  evolve: {
    BookingRequested_v1: (_, { type, ...order }) => ({ status: 'reserving', ...order }),
    BookingMade_v1: (state) =>
      state.status === 'reserving' ? { ...state, status: 'made', tickets_ordered: false } : state,
    BookingFailed_v1: (state, { failure_reason }) => {
      if (state.status === 'reserving') return { ...state, status: 'failed', failure_reason }
      if (state.status === 'made') return { ...orderOf(state), status: 'failed', failure_reason }
      return state
    },
    TicketsOrdered_v1: (state) => (state.status === 'made' ? { ...state, tickets_ordered: true } : state),
  },
}

function giveBack(id: string, showId: string, seats: number, why: string): Decision<BookingEvent> {
  return { refuse: 'not-waiting', reason: `${why} and waits for no seats`, then: [releaseSeats(id, showId, seats)] }
}

function releaseSeats(id: string, showId: string, seats: number): Send {
  return { send: 'show', id: showId, command: { type: 'ReleaseSeats', booking_id: id, number_of_tickets: seats } }
}

function orderOf({ tickets_ordered: _, status: __, ...order }: Made) {
  return order
}

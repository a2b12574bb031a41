import {
  type BookingCommand,
  type BookingEvent,
  type BookingState,
  bookingCommands,
  bookingEvents,
  bookingState,
} from '../schemas/booking.ts'
import type { Send } from '../schemas/index.ts'
import type { Actor } from '../src/actor/actor.ts'

type Holding = Extract<BookingState, { tickets: unknown }>

/**
 * A booking wants seats of one show: it asks for them, and once it has them orders the tickets from Dead Nation.
 *
 *     unknown ──BookShowTickets──▶ reserving ──SeatsReserved──▶ made ──DeadNationRefused──▶ failed
 *                                      │                          └────CancelBooking──────▶ canceled
 *                                      └──SeatsRefused──▶ failed, ──CancelBooking──▶ canceled
 *
 * Each ticket that names it takes one of its seats, whichever is first heard of it; tickets beyond those are not its own.
 * A seat goes back to the show once: when its ticket is canceled or refunded, or when the booking ends without a ticket
 * for it. Seats that reach a booking which does not wait for them go straight back.
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
      if (state.status !== 'reserving') {
        const reason = `the booking is ${state.status} and waits for no seats`
        const reply = state.status === 'canceled' ? wasCanceled(id) : undefined
        return {
          refuse: 'not-waiting',
          reason,
          then: releaseSeats(id, show_id, number_of_tickets),
          ...(reply && { reply }),
        }
      }
      const { customer_email } = state
      const request = { booking_id: id, customer_address: customer_email, event_id: dead_nation_id, number_of_tickets }
      return {
        events: [{ type: 'BookingMade_v1', booking_id: id, show_id, number_of_tickets, customer_email }],
        then: [{ call: 'dead-nation', request: { type: 'BookTickets', ...request } }],
        reply: { ok: { booking_id: id } },
      }
    },

    SeatsRefused(state, { code, reason }, { id }) {
      if (state.status === 'canceled') return { ignore: 'the booking is canceled', reply: wasCanceled(id) }
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
        then: giveUp(id, state),
      }
    },

    CancelBooking(state, _, { id }) {
      if (state.status === 'unknown') return { refuse: 'unknown-booking', reason: `there is no booking ${id}` }
      const reply = { ok: { booking_id: id } }
      if (state.status === 'failed' || state.status === 'canceled')
        return { ignore: `it is ${state.status} already`, reply }
      const then = state.status === 'made' ? giveUp(id, state) : []
      return { events: [{ type: 'BookingCanceled_v1' }], then, reply }
    },

    TicketConfirmed(state, { ticket_id }) {
      if (!isOwn(state, ticket_id) || ticket_id in state.tickets) return { ignore: notOurs }
      const isLate = state.status !== 'made'
      return {
        events: [{ type: 'TicketConfirmed_v1', ticket_id }],
        then: isLate ? [refundTicket(ticket_id)] : [],
      }
    },

    TicketCanceled(state, { ticket_id }, { id }) {
      if (!isOwn(state, ticket_id) || state.tickets[ticket_id] === 'gone') return { ignore: notOurs }
      return { events: [{ type: 'TicketCanceled_v1', ticket_id }], then: releaseSeatOf(id, state, ticket_id) }
    },

    TicketRefunded(state, { ticket_id }, { id }) {
      if (!isOwn(state, ticket_id) || state.tickets[ticket_id] === 'gone') return { ignore: notOurs }
      return { events: [{ type: 'TicketRefunded_v1', ticket_id }], then: releaseSeatOf(id, state, ticket_id) }
    },
  },

  evolve: {
    BookingRequested_v1: (_, { type, ...order }) => ({ status: 'reserving', ...order }),
    BookingMade_v1: (state) => {
      return state.status === 'reserving' ? { ...state, status: 'made', tickets_ordered: false, tickets: {} } : state
    },
    BookingFailed_v1: (state, { failure_reason }) => {
      return state.status === 'unknown' ? state : { ...remainsOf(state), status: 'failed', failure_reason }
    },
    BookingCanceled_v1: (state) => (state.status === 'unknown' ? state : { ...remainsOf(state), status: 'canceled' }),
    TicketsOrdered_v1: (state) => (state.status === 'made' ? { ...state, tickets_ordered: true } : state),
    // Of a booking that has ended, the seat is back already.
    TicketConfirmed_v1: (state, { ticket_id }) =>
      note(state, ticket_id, state.status === 'made' ? 'confirmed' : 'gone'),
    TicketCanceled_v1: (state, { ticket_id }) => note(state, ticket_id, 'gone'),
    TicketRefunded_v1: (state, { ticket_id }) => note(state, ticket_id, 'gone'),
  },
}

const notOurs = 'the ticket is none of ours, or this is known'

const wasCanceled = (id: string) => ({ refused: 'booking-canceled', reason: `booking ${id} was canceled meanwhile` })

/** Whether the ticket has one of the seats that were booked, or can still take one. */
function isOwn(state: BookingState, ticketId: string): state is Holding {
  if (!('tickets' in state)) return false
  return ticketId in state.tickets || Object.keys(state.tickets).length < state.number_of_tickets
}

/** What is not confirmed goes back at once, what is confirmed when it is refunded. */
function giveUp(id: string, { show_id, number_of_tickets, tickets }: Holding): Send[] {
  const known = Object.entries(tickets)
  const confirmed = known.filter(([, standing]) => standing === 'confirmed')
  return [
    ...releaseSeats(id, show_id, number_of_tickets - known.length),
    ...confirmed.map(([ticketId]) => refundTicket(ticketId)),
  ]
}

/** The seat of a ticket that a booking has ended without knowing went back when it ended. */
function releaseSeatOf(id: string, { status, show_id, tickets }: Holding, ticketId: string): Send[] {
  return status === 'made' || ticketId in tickets ? releaseSeats(id, show_id, 1) : []
}

function releaseSeats(id: string, showId: string, seats: number): Send[] {
  if (seats === 0) return []
  return [{ send: 'show', id: showId, command: { type: 'ReleaseSeats', booking_id: id, number_of_tickets: seats } }]
}

function refundTicket(ticketId: string): Send {
  return { send: 'ticket', id: ticketId, command: { type: 'RefundTicket' } }
}

function note(state: BookingState, ticketId: string, standing: 'confirmed' | 'gone'): BookingState {
  return 'tickets' in state ? { ...state, tickets: { ...state.tickets, [ticketId]: standing } } : state
}

function remainsOf(state: Exclude<BookingState, { status: 'unknown' }>) {
  const { show_id, number_of_tickets, customer_email, requested_at } = state
  return { show_id, number_of_tickets, customer_email, requested_at, tickets: 'tickets' in state ? state.tickets : {} }
}

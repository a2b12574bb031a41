import {
  type BookingCommand,
  type BookingEvent,
  type BookingState,
  bookingCommands,
  bookingEvents,
  bookingState,
  earlierDeadline,
} from '../schemas/booking.ts'
import type { Send } from '../schemas/index.ts'
import { laterBy } from '../schemas/values.ts'
import type { Actor, Decision, Reply } from '../src/actor/actor.ts'
import { isSettled, newsForBundle } from './booking-news.ts'

type Holding = Extract<BookingState, { tickets: unknown }>

/**
 * A booking wants seats of one show: it asks for them, and once it has them orders the tickets from Dead Nation.
 *
 *     unknown ──BookShowTickets──▶ reserving ──SeatsReserved──▶ made ──DeadNationRefused, DeadlinePassed──▶ failed
 *        │                             │                          └────CancelBooking──────▶ canceled
 *        │                             └──SeatsRefused, DeadlinePassed──▶ failed, ──CancelBooking──▶ canceled
 *        └──CancelBooking of its bundle──▶ withdrawn
 *
 * Each ticket that names it takes one of its seats, whichever is first heard of it; tickets beyond those are not its own.
 * A seat goes back to the show once: when its ticket is canceled or refunded, or when the booking ends without a ticket
 * for it. Seats that reach a booking which does not wait for them go straight back. A ticket that is confirmed only after
 * the end is refunded. A bundle that asked for the booking is told of all that matters to it.
 */
export const booking: Actor<BookingState, BookingCommand, BookingEvent> = {
  kind: 'booking',
  schemas: { state: bookingState, messages: bookingCommands, events: bookingEvents },
  initial: { status: 'unknown' },

  decide: {
    BookShowTickets(state, { type: _, booking_id, ...asked }, { id, at, deadlines }) {
      if (booking_id !== undefined && booking_id !== id) {
        return { refuse: 'wrong-booking', reason: `booking_id is ${booking_id}, but the subject names ${id}` }
      }
      if (state.status === 'made') return { ignore: 'the booking is made already', reply: { ok: { booking_id: id } } }
      if (state.status !== 'unknown') return { ignore: `the booking is ${state.status} already` }
      const { show_id, number_of_tickets } = asked
      const deadline_at = laterBy(at, deadlines.bookingMs)
      return {
        events: [{ type: 'BookingRequested_v2', ...asked, requested_at: at, deadline_at }],
        then: [{ send: 'show', id: show_id, command: { type: 'ReserveSeats', booking_id: id, number_of_tickets } }],
      }
    },

    SeatsReserved(state, { show_id, number_of_tickets, dead_nation_id }, { id }) {
      if (state.status !== 'reserving') {
        const reason = `the booking is ${state.status} and waits for no seats`
        const reply = endOf(id, state)
        return {
          refuse: 'not-waiting',
          reason,
          then: releaseSeats(id, show_id, number_of_tickets),
          ...(reply && { reply }),
        }
      }
      const { customer_email } = state
      const request = { booking_id: id, customer_address: customer_email, event_id: dead_nation_id, number_of_tickets }
      return tellingBundle(id, state, {
        events: [{ type: 'BookingMade_v1', booking_id: id, show_id, number_of_tickets, customer_email }],
        then: [{ call: 'dead-nation', request: { type: 'BookTickets', ...request } }],
        reply: { ok: { booking_id: id } },
      })
    },

    SeatsRefused(state, { code, reason }, { id }) {
      if (state.status !== 'reserving') {
        const reply = endOf(id, state)
        return { ignore: `the booking is ${state.status}`, ...(reply && { reply }) }
      }
      return tellingBundle(id, state, {
        events: [{ type: 'BookingFailed_v1', booking_id: id, failure_reason: reason }],
        reply: { refused: code, reason },
      })
    },

    DeadNationAccepted(state) {
      if (state.status !== 'made') return { ignore: `the booking is ${state.status}` }
      if (state.tickets_ordered) return { ignore: 'the tickets are ordered already' }
      return { events: [{ type: 'TicketsOrdered_v1' }] }
    },

    DeadNationRefused(state, { reason }, { id }) {
      if (state.status === 'canceled' && state.awaits_tickets) {
        return tellingBundle(id, state, { events: [{ type: 'NoTicketsExpected_v1' }] })
      }
      if (state.status !== 'made') return { ignore: `the booking is ${state.status}` }
      return fail(id, state, reason)
    },

    CancelBooking(state, { bundle_id }, { id }) {
      if (bundle_id !== undefined && bundle_id !== bundleOf(state)) return withdraw(id, state, bundle_id)
      if (!isRequested(state)) return { refuse: 'unknown-booking', reason: `there is no booking ${id}` }
      const reply = { ok: { booking_id: id } }
      if (state.status === 'failed' || state.status === 'canceled')
        return { ignore: `it is ${state.status} already`, reply }
      const canceled: BookingEvent = { type: 'BookingCanceled_v1' }
      if (state.status === 'made') {
        return tellingBundle(id, state, { events: [canceled], then: giveUp(id, state), reply })
      }
      return tellingBundle(id, state, { events: [canceled, { type: 'NoTicketsExpected_v1' }], then: [], reply })
    },

    DeadlinePassed(state, _, { id, at }) {
      if (!isRequested(state)) return { ignore: `the booking is ${state.status}` }
      if (at < state.deadline_at) return { ignore: `it has time until ${state.deadline_at}` }
      if (state.status === 'reserving') return fail(id, state, 'the show did not answer in time')
      const missing = state.number_of_tickets - Object.keys(state.tickets).length
      if (state.status === 'made' && missing > 0) {
        return fail(id, state, `${missing} of ${state.number_of_tickets} tickets were not confirmed in time`)
      }
      if (state.status === 'canceled' && state.awaits_tickets) {
        return tellingBundle(id, state, { events: [{ type: 'NoTicketsExpected_v1' }] })
      }
      return { ignore: `the booking is ${state.status}, and waits for no ticket` }
    },

    TicketConfirmed(state, { ticket_id }, { id }) {
      if (!isOwn(state, ticket_id) || ticket_id in state.tickets) return { ignore: notOurs }
      if (state.status === 'made') {
        return tellingBundle(id, state, { events: [{ type: 'TicketConfirmed_v1', ticket_id }], then: [] })
      }
      return { events: [{ type: 'TicketCameLate_v1', ticket_id }], then: [refundTicket(ticket_id)] }
    },

    TicketCanceled(state, { ticket_id }, { id }) {
      if (!isOwn(state, ticket_id) || state.tickets[ticket_id] === 'gone') return { ignore: notOurs }
      const events: BookingEvent[] = [{ type: 'TicketCanceled_v1', ticket_id }]
      return tellingBundle(id, state, { events, then: releaseSeatOf(id, state, ticket_id) })
    },

    TicketRefunded(state, { ticket_id }, { id }) {
      if (!isOwn(state, ticket_id) || state.tickets[ticket_id] === 'gone') return { ignore: notOurs }
      const events: BookingEvent[] = [{ type: 'TicketRefunded_v1', ticket_id }]
      return tellingBundle(id, state, { events, then: releaseSeatOf(id, state, ticket_id) })
    },
  },

  evolve: {
    BookingRequested_v2: (_, { type, ...order }) => ({ status: 'reserving', ...order }),
    BookingWithdrawn_v1: (_, { bundle_id }) => ({ status: 'withdrawn', bundle_id }),
    BookingMade_v1: (state) => {
      return state.status === 'reserving' ? { ...state, status: 'made', tickets_ordered: false, tickets: {} } : state
    },
    BookingFailed_v1: (state, { failure_reason }) => {
      return isRequested(state) ? { ...remainsOf(state), status: 'failed', failure_reason } : state
    },
    BookingCanceled_v1: (state) => {
      return isRequested(state) ? { ...remainsOf(state), status: 'canceled', awaits_tickets: true } : state
    },
    NoTicketsExpected_v1: (state) => (state.status === 'canceled' ? { ...state, awaits_tickets: false } : state),
    TicketsOrdered_v1: (state) => (state.status === 'made' ? { ...state, tickets_ordered: true } : state),
    // Before late tickets were told apart, this was said of them too.
    TicketConfirmed_v1: (state, { ticket_id }) =>
      note(state, ticket_id, state.status === 'made' ? 'confirmed' : 'gone'),
    TicketCameLate_v1: (state, { ticket_id }) => note(state, ticket_id, 'late'),
    TicketCanceled_v1: (state, { ticket_id }) => note(state, ticket_id, 'gone'),
    TicketRefunded_v1: (state, { ticket_id }) => note(state, ticket_id, 'gone'),
  },

  upcasters: {
    BookingRequested_v1: ({ type: _, ...order }: RequestedV1) => {
      return { type: 'BookingRequested_v2', ...order, deadline_at: earlierDeadline(order.requested_at) }
    },
  },

  alarm(state) {
    return isWaiting(state) ? { at: state.deadline_at, command: { type: 'DeadlinePassed' } } : undefined
  },

  hasEnded(state) {
    if (state.status === 'made') return state.tickets_ordered && !isWaiting(state)
    return state.status === 'unknown' || isSettled(state)
  },
}

type Requested = Exclude<BookingState, { status: 'unknown' | 'withdrawn' }>
type Accepted = Extract<Decision<BookingEvent>, { events: unknown }>

/** Before there were deadlines. */
type RequestedV1 = { type: 'BookingRequested_v1' } & Pick<
  Requested,
  'show_id' | 'number_of_tickets' | 'customer_email' | 'requested_at'
>

const isRequested = (state: BookingState): state is Requested =>
  state.status !== 'unknown' && state.status !== 'withdrawn'

/** Whether the deadline still decides something. */
function isWaiting(state: BookingState): state is Requested {
  if (state.status === 'reserving') return true
  const hasMissing = 'tickets' in state && Object.keys(state.tickets).length < state.number_of_tickets
  return hasMissing && (state.status === 'made' || (state.status === 'canceled' && state.awaits_tickets))
}

/** The decision, and what its events mean to the bundle, if there is one. */
function tellingBundle(id: string, state: BookingState, decision: Accepted): Accepted {
  if (bundleOf(state) === undefined) return decision
  const after = decision.events.reduce<BookingState>(
    (folded, event) => booking.evolve[event.type](folded, event as never),
    state,
  )
  const news = newsForBundle(id, state, after)
  return news.length > 0 ? { ...decision, then: [...(decision.then ?? []), ...news] } : decision
}

function fail(id: string, state: Requested, reason: string): Accepted {
  const events: BookingEvent[] = [{ type: 'BookingFailed_v1', booking_id: id, failure_reason: reason }]
  return tellingBundle(id, state, { events, then: 'tickets' in state ? giveUp(id, state) : [] })
}

/** A bundle gives up what it has not asked for yet, or what is somebody else's: there is nothing of it to be undone. */
function withdraw(id: string, state: BookingState, bundleId: string): Decision<BookingEvent> {
  const settled: Send = { send: 'bundle', id: bundleId, command: { type: 'BookingSettled', booking_id: id } }
  if (state.status === 'unknown') {
    return { events: [{ type: 'BookingWithdrawn_v1', bundle_id: bundleId }], then: [settled] }
  }
  return { refuse: 'wrong-bundle', reason: `booking ${id} is not of bundle ${bundleId}`, then: [settled] }
}

const bundleOf = (state: BookingState): string | undefined => ('bundle_id' in state ? state.bundle_id : undefined)

const notOurs = 'the ticket is none of ours, or this is known'

/** What whoever waits for seats is told when the booking did not wait for them. */
function endOf(id: string, state: BookingState): Reply | undefined {
  if (state.status === 'canceled')
    return { refused: 'booking-canceled', reason: `booking ${id} was canceled meanwhile` }
  return state.status === 'failed' ? { refused: 'booking-failed', reason: state.failure_reason } : undefined
}

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

/** The seat of a ticket that was not confirmed when the booking ended went back then. */
function releaseSeatOf(id: string, { status, show_id, tickets }: Holding, ticketId: string): Send[] {
  return status === 'made' || tickets[ticketId] === 'confirmed' ? releaseSeats(id, show_id, 1) : []
}

function releaseSeats(id: string, showId: string, seats: number): Send[] {
  if (seats === 0) return []
  return [{ send: 'show', id: showId, command: { type: 'ReleaseSeats', booking_id: id, number_of_tickets: seats } }]
}

function refundTicket(ticketId: string): Send {
  return { send: 'ticket', id: ticketId, command: { type: 'RefundTicket' } }
}

function note(state: BookingState, ticketId: string, standing: 'confirmed' | 'late' | 'gone'): BookingState {
  return 'tickets' in state ? { ...state, tickets: { ...state.tickets, [ticketId]: standing } } : state
}

function remainsOf(state: Requested) {
  const { show_id, number_of_tickets, customer_email, requested_at, deadline_at, bundle_id } = state
  const asked = { show_id, number_of_tickets, customer_email, requested_at, deadline_at }
  return { ...asked, ...(bundle_id !== undefined && { bundle_id }), tickets: 'tickets' in state ? state.tickets : {} }
}

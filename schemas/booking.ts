import { z } from 'zod'
import { commands, events, type MessageOf } from './message.ts'
import { email, id, text, ticketsOfBooking, timestamp } from './values.ts'

const order = {
  show_id: id,
  number_of_tickets: ticketsOfBooking,
  customer_email: email,
}

export const bookingCommands = commands({
  /** Fixed by the contract. `booking_id` repeats the id in the subject and may be left out. */
  BookShowTickets: { booking_id: id.optional(), ...order },
  SeatsReserved: { show_id: id, number_of_tickets: ticketsOfBooking, dead_nation_id: id },
  SeatsRefused: { show_id: id, code: text(100), reason: text() },
  /** What Dead Nation answered to our call. */
  DeadNationAccepted: {},
  DeadNationRefused: { reason: text() },
  /** Gives everything up that is not used: seats go back, tickets are refunded. */
  CancelBooking: {},
  /** News of a ticket that names this booking. */
  TicketConfirmed: { ticket_id: id },
  TicketCanceled: { ticket_id: id },
  TicketRefunded: { ticket_id: id },
})
export type BookingCommand = MessageOf<typeof bookingCommands>

export const bookingEvents = events({
  BookingRequested_v1: { ...order, requested_at: timestamp },
  /** Public: fields fixed by the contract. */
  BookingMade_v1: { booking_id: id, ...order },
  /** Public: fields fixed by the contract. */
  BookingFailed_v1: { booking_id: id, failure_reason: text() },
  BookingCanceled_v1: {},
  TicketsOrdered_v1: {},
  TicketConfirmed_v1: { ticket_id: id },
  TicketCanceled_v1: { ticket_id: id },
  TicketRefunded_v1: { ticket_id: id },
})
export type BookingEvent = MessageOf<typeof bookingEvents>

/**
 * The tickets that it knows, and how each stands. Each takes one of the seats that were booked; the seat of a ticket that
 * is `gone` (canceled or refunded) is on sale again.
 */
const tickets = z.record(id, z.enum(['confirmed', 'gone']))

const asked = { ...order, requested_at: timestamp }

/**
 * `reserving` until the show has answered; `made` holds seats, and says whether Dead Nation has accepted the order;
 * `failed` and `canceled` hold the seats of tickets that were confirmed before, until they are refunded.
 */
export const bookingState = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('unknown') }),
  z.strictObject({ status: z.literal('reserving'), ...asked }),
  z.strictObject({ status: z.literal('made'), ...asked, tickets_ordered: z.boolean(), tickets }),
  z.strictObject({ status: z.literal('failed'), ...asked, failure_reason: text(), tickets }),
  z.strictObject({ status: z.literal('canceled'), ...asked, tickets }),
])
export type BookingState = z.infer<typeof bookingState>

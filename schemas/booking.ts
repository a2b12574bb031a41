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
})
export type BookingCommand = MessageOf<typeof bookingCommands>

export const bookingEvents = events({
  BookingRequested_v1: { ...order, requested_at: timestamp },
  /** Public: fields fixed by the contract. */
  BookingMade_v1: { booking_id: id, ...order },
  /** Public: fields fixed by the contract. */
  BookingFailed_v1: { booking_id: id, failure_reason: text() },
  TicketsOrdered_v1: {},
})
export type BookingEvent = MessageOf<typeof bookingEvents>

const asked = { ...order, requested_at: timestamp }

/**
 * `reserving` until the show has answered; `made` holds seats, and says whether Dead Nation has accepted the order;
 * `failed` is final and holds nothing.
 */
export const bookingState = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('unknown') }),
  z.strictObject({ status: z.literal('reserving'), ...asked }),
  z.strictObject({ status: z.literal('made'), ...asked, tickets_ordered: z.boolean() }),
  z.strictObject({ status: z.literal('failed'), ...asked, failure_reason: text() }),
])
export type BookingState = z.infer<typeof bookingState>

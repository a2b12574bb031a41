import { z } from 'zod'
import { commands, events, type MessageOf } from './message.ts'
import { email, id, laterBy, text, ticketsOfBooking, timestamp } from './values.ts'

const order = {
  show_id: id,
  number_of_tickets: ticketsOfBooking,
  customer_email: email,
}

export const bookingCommands = commands({
  /** Fixed by the contract. `booking_id` repeats the id in the subject and may be left out; `bundle_id` is who asks. */
  BookShowTickets: { booking_id: id.optional(), bundle_id: id.optional(), ...order },
  SeatsReserved: { show_id: id, number_of_tickets: ticketsOfBooking, dead_nation_id: id },
  SeatsRefused: { show_id: id, code: text(100), reason: text() },
  /** What Dead Nation answered to our call. */
  DeadNationAccepted: {},
  DeadNationRefused: { reason: text() },
  /** Gives everything up that is not used: seats go back, tickets are refunded. A bundle names itself. */
  CancelBooking: { bundle_id: id.optional() },
  /** Its own alarm. Whoever else says so is not believed before its time. */
  DeadlinePassed: {},
  /** News of a ticket that names this booking. */
  TicketConfirmed: { ticket_id: id },
  TicketCanceled: { ticket_id: id },
  TicketRefunded: { ticket_id: id },
})
export type BookingCommand = MessageOf<typeof bookingCommands>

const asked = { ...order, requested_at: timestamp, deadline_at: timestamp, bundle_id: id.optional() }

export const bookingEvents = events({
  BookingRequested_v2: asked,
  /** Its bundle gave it up before it was asked for. */
  BookingWithdrawn_v1: { bundle_id: id },
  /** Public: fields fixed by the contract. */
  BookingMade_v1: { booking_id: id, ...order },
  /** Public: fields fixed by the contract. */
  BookingFailed_v1: { booking_id: id, failure_reason: text() },
  BookingCanceled_v1: {},
  TicketsOrdered_v1: {},
  /** Of a canceled booking: Dead Nation had no order, has refused it, or has had its time. */
  NoTicketsExpected_v1: {},
  TicketConfirmed_v1: { ticket_id: id },
  /** Confirmed after the booking's end. */
  TicketCameLate_v1: { ticket_id: id },
  TicketCanceled_v1: { ticket_id: id },
  TicketRefunded_v1: { ticket_id: id },
})
export type BookingEvent = MessageOf<typeof bookingEvents>

/**
 * The tickets that it knows, and how each stands. Each takes one of the seats that were booked; the seat of a ticket that
 * is `gone` (canceled or refunded) is on sale again. One that came `late` holds no seat, and is to be refunded.
 */
const tickets = z.record(id, z.enum(['confirmed', 'late', 'gone']))

/** What bookings from before there were deadlines get: the default of the setting. */
export const earlierDeadline = (requestedAt: string): string => laterBy(requestedAt, 900_000)

/** States stored before there were deadlines, as the fold of their journals is now. */
function withDeadline(stored: unknown): unknown {
  const { status, requested_at, deadline_at } = (stored ?? {}) as Record<string, unknown>
  if (typeof requested_at !== 'string' || deadline_at !== undefined) return stored
  const awaited = status === 'canceled' && { awaits_tickets: true }
  return { ...(stored as object), ...awaited, deadline_at: earlierDeadline(requested_at) }
}

/**
 * `reserving` until the show has answered; `made` holds seats, and says whether Dead Nation has accepted the order;
 * `failed` and `canceled` hold the seats of tickets that were confirmed before, until they are refunded. A canceled one
 * says whether Dead Nation may still confirm tickets. `withdrawn` is never to begin.
 */
export const bookingState = z.preprocess(
  withDeadline,
  z.discriminatedUnion('status', [
    z.strictObject({ status: z.literal('unknown') }),
    z.strictObject({ status: z.literal('withdrawn'), bundle_id: id }),
    z.strictObject({ status: z.literal('reserving'), ...asked }),
    z.strictObject({ status: z.literal('made'), ...asked, tickets_ordered: z.boolean(), tickets }),
    z.strictObject({ status: z.literal('failed'), ...asked, failure_reason: text(), tickets }),
    z.strictObject({ status: z.literal('canceled'), ...asked, awaits_tickets: z.boolean(), tickets }),
  ]),
)
export type BookingState = z.infer<typeof bookingState>

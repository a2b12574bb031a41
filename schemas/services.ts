import { z } from 'zod'
import { leg } from './bundle.ts'
import { commands, type MessageOf } from './message.ts'
import { email, id, money, text, ticketsOfBooking } from './values.ts'

/**
 * What is asked of the external services: one request is one call. Idempotency keys are not among the fields: a call's
 * key is the id of its effect, which the adapter puts where the service wants it.
 */

/** Dead Nation, the seller whose tickets these are. */
export const deadNationRequests = commands({
  BookTickets: {
    booking_id: id,
    customer_address: email,
    event_id: id,
    number_of_tickets: ticketsOfBooking,
  },
})

export const receiptsRequests = commands({
  IssueReceipt: { ticket_id: id, price: money },
  VoidReceipt: { ticket_id: id, reason: text() },
})

export const paymentsRequests = commands({
  RefundPayment: { payment_reference: id, reason: text() },
})

export const spreadsheetsRequests = commands({
  AppendRow: { sheet: z.enum(['tickets-to-print', 'tickets-to-refund']), columns: z.array(z.string()) },
})
export type SpreadsheetsRequest = MessageOf<typeof spreadsheetsRequests>

export const filesRequests = commands({
  StoreFile: { file_id: text(), content: text(10_000) },
})

/** Fixed by the contract; `leg` is ours, because both may be the same flight. One ticket is canceled at a time. */
export const transportationRequests = commands({
  BookFlight: {
    customer_email: email,
    to_flight_id: id,
    passengers: z.array(text()),
    reference_id: id,
    leg,
  },
  CancelFlightTickets: { flight_ticket_id: z.tuple([text()]) },
  BookTaxi: {
    customer_email: email,
    customer_name: text(),
    number_of_passengers: ticketsOfBooking,
    reference_id: id,
  },
  CancelTaxi: { taxi_booking_id: text() },
})

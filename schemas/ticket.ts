import { z } from 'zod'
import { commands, events, type MessageOf } from './message.ts'
import { email, id, money, text, timestamp } from './values.ts'

/** A ticket sold before this system existed has no booking. */
const bookingId = z.union([id, z.literal('')])

const details = { booking_id: bookingId, customer_email: email, price: money }

/** The sheets that people work through. */
const sheet = z.enum(['tickets-to-print', 'tickets-to-refund'])

export const ticketCommands = commands({
  ConfirmTicket: details,
  CancelTicket: details,
  /** Fixed by the contract. `ticket_id` repeats the id in the subject and may be left out. */
  RefundTicket: { ticket_id: id.optional() },
  /** What the services answered to our calls. */
  ReceiptIssued: { number: text(), issued_at: timestamp },
  FileStored: { file_name: text() },
  RowAppended: { sheet },
  ReceiptVoided: {},
  PaymentRefunded: {},
})
export type TicketCommand = MessageOf<typeof ticketCommands>

const names = { ticket_id: id, booking_id: bookingId }

export const ticketEvents = events({
  /** These five are public: names and fields fixed by the contract. */
  TicketBookingConfirmed_v1: { ...names, customer_email: email, price: money },
  TicketBookingCanceled_v1: { ...names, customer_email: email, price: money },
  TicketReceiptIssued_v1: { ...names, receipt_number: text(), issued_at: timestamp },
  TicketPrinted_v1: { ...names, file_name: text() },
  TicketRefunded_v1: names,
  RowAppended_v1: { sheet },
  RefundRequested_v1: {},
  ReceiptVoided_v1: {},
})
export type TicketEvent = MessageOf<typeof ticketEvents>

const receipt = z.strictObject({ number: text(), issued_at: timestamp })

/** What has been done for it. Each step is on its own, so that a service that is down delays only its own. */
const progress = {
  receipt: receipt.nullable(),
  file_name: text().nullable(),
  rows: z.array(sheet),
}

/**
 * `canceled` before it was ever confirmed is a tombstone: the confirmation that comes later changes nothing. `refunding`
 * until its receipt is voided and its payment refunded.
 */
export const ticketState = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('unknown') }),
  z.strictObject({ status: z.literal('confirmed'), ...details, ...progress }),
  z.strictObject({ status: z.literal('canceled'), ...details, ...progress }),
  z.strictObject({ status: z.literal('refunding'), ...details, ...progress, is_receipt_voided: z.boolean() }),
  z.strictObject({ status: z.literal('refunded'), ...details, ...progress }),
])
export type TicketState = z.infer<typeof ticketState>

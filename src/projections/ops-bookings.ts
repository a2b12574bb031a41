import type { OpsBookingRow, OpsTicketRow } from '../../schemas/read-models.ts'
import type { TicketEvent } from '../../schemas/ticket.ts'
import type { Projection, TurnFacts } from './projection.ts'

/**
 * What operations sees of a booking, from the moment that it was made. A ticket is a row of its own, because it lives in
 * another partition and may be heard of first; the two are put together when they are read. A ticket that names no booking
 * is not among them.
 */
export const opsBookings: Projection<{ booking: OpsBookingRow; ticket: OpsTicketRow }> = {
  name: 'ops_bookings',
  // A booking's first turn asks for seats; its row comes with its second.
  begins: { booking: ['BookingMade_v1'] },
  folds: {
    booking: {
      BookingMade_v1: (_, { booking_id }, { at }) => ({ booking_id, booked_at: at, last_update: at }),
      BookingFailed_v1: (row, _, { at }) => row && { ...row, last_update: at },
      BookingCanceled_v1: (row, _, { at }) => row && { ...row, last_update: at },
    },
    ticket: {
      TicketBookingConfirmed_v1: (_, event, turn) => newTicket(event, turn, turn.at),
      // A cancellation may come before the confirmation, which then never comes.
      TicketBookingCanceled_v1: (row, event, turn) => {
        return row ? { ...row, last_update: turn.at } : newTicket(event, turn, notYet)
      },
      TicketReceiptIssued_v1: (row, { receipt_number, issued_at }, { at }) => {
        return row && { ...row, receipt_number, receipt_issued_at: issued_at, last_update: at }
      },
      TicketPrinted_v1: (row, { file_name }, { at }) => {
        return row && { ...row, printed_file_name: file_name, printed_at: at, last_update: at }
      },
      TicketRefunded_v1: (row, _, { at }) => row && { ...row, refunded_at: at, last_update: at },
    },
  },
}

/** Fixed by the contract. */
const notYet = '0001-01-01T00:00:00Z'

type Named = Extract<TicketEvent, { customer_email: string }>

function newTicket(
  { booking_id, price, customer_email }: Named,
  { at }: TurnFacts,
  confirmed_at: string,
): OpsTicketRow | undefined {
  if (booking_id === '') return undefined
  return {
    booking_id,
    price_amount: price.amount,
    price_currency: price.currency,
    customer_email,
    confirmed_at,
    refunded_at: notYet,
    printed_at: notYet,
    printed_file_name: '',
    receipt_issued_at: notYet,
    receipt_number: '',
    last_update: at,
  }
}

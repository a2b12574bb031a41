import type { Call, Send } from '../schemas/index.ts'
import {
  type TicketCommand,
  type TicketEvent,
  type TicketState,
  ticketCommands,
  ticketEvents,
  ticketState,
} from '../schemas/ticket.ts'
import type { Actor } from '../src/actor/actor.ts'

type Known = Exclude<TicketState, { status: 'unknown' }>
type Details = Pick<Known, 'booking_id' | 'customer_email' | 'price'>

/**
 * A ticket, from its confirmation to its end:
 *
 *     unknown ──ConfirmTicket──▶ confirmed ──RefundTicket──▶ refunding ──▶ refunded
 *        └───────CancelTicket────────┴──▶ canceled
 *
 * A confirmed ticket gets a receipt, a file and a row in a sheet, independent of each other. A refund voids the receipt,
 * then pays back. Whatever comes first of a cancellation and a refund wins: its money goes back once.
 */
export const ticket: Actor<TicketState, TicketCommand, TicketEvent> = {
  kind: 'ticket',
  schemas: { state: ticketState, messages: ticketCommands, events: ticketEvents },
  initial: { status: 'unknown' },

  decide: {
    ConfirmTicket(state, { type: _, ...details }, { id }) {
      if (state.status !== 'unknown') return { ignore: `the ticket is ${state.status} already`, reply: accepted(id) }
      return {
        events: [{ type: 'TicketBookingConfirmed_v1', ticket_id: id, ...details }],
        then: [
          { call: 'receipts', request: { type: 'IssueReceipt', ticket_id: id, price: details.price } },
          { call: 'files', request: { type: 'StoreFile', file_id: fileName(id), content: print(id, details) } },
          appendRow('tickets-to-print', id, details),
          ...tellBooking(details, { type: 'TicketConfirmed', ticket_id: id }),
        ],
        reply: accepted(id),
      }
    },

    CancelTicket(state, { type: _, ...details }, { id }) {
      if (state.status !== 'unknown' && state.status !== 'confirmed') {
        return { ignore: `the ticket is ${state.status} already`, reply: accepted(id) }
      }
      // What was confirmed counts: the first word on a ticket's price and booking is the one that was acted upon.
      const known = state.status === 'confirmed' ? detailsOf(state) : details
      return {
        events: [{ type: 'TicketBookingCanceled_v1', ticket_id: id, ...known }],
        then: [
          appendRow('tickets-to-refund', id, known),
          ...tellBooking(known, { type: 'TicketCanceled', ticket_id: id }),
        ],
        reply: accepted(id),
      }
    },

    RefundTicket(state, { ticket_id }, { id }) {
      if (ticket_id !== undefined && ticket_id !== id) {
        return { refuse: 'wrong-ticket', reason: `ticket_id is ${ticket_id}, but the subject names ${id}` }
      }
      if (state.status === 'unknown') return { refuse: 'unknown-ticket', reason: `there is no ticket ${id}` }
      if (state.status === 'canceled') {
        return { refuse: 'ticket-canceled', reason: `ticket ${id} is canceled; its money goes back by the sheet` }
      }
      if (state.status !== 'confirmed') return { ignore: `the ticket is ${state.status} already`, reply: accepted(id) }
      const requested: TicketEvent = { type: 'RefundRequested_v1' }
      // A receipt that is still to be issued can only be voided once it is there.
      return { events: [requested], then: state.receipt ? [voidReceipt(id)] : [], reply: accepted(id) }
    },

    ReceiptIssued(state, { number, issued_at }, { id }) {
      if (state.status === 'unknown' || state.receipt) return { ignore: 'no receipt is waited for' }
      const { booking_id } = state
      return {
        events: [{ type: 'TicketReceiptIssued_v1', ticket_id: id, booking_id, receipt_number: number, issued_at }],
        then: state.status === 'refunding' ? [voidReceipt(id)] : [],
      }
    },

    FileStored(state, { file_name }, { id }) {
      if (state.status === 'unknown' || state.file_name !== null) return { ignore: 'no file is waited for' }
      return { events: [{ type: 'TicketPrinted_v1', ticket_id: id, booking_id: state.booking_id, file_name }] }
    },

    RowAppended(state, { sheet }) {
      if (state.status === 'unknown' || state.rows.includes(sheet)) return { ignore: 'no row is waited for' }
      return { events: [{ type: 'RowAppended_v1', sheet }] }
    },

    ReceiptVoided(state, _, { id }) {
      if (state.status !== 'refunding' || !state.receipt || state.is_receipt_voided)
        return { ignore: 'no voiding is waited for' }
      return {
        events: [{ type: 'ReceiptVoided_v1' }],
        then: [{ call: 'payments', request: { type: 'RefundPayment', payment_reference: id, reason: 'refund' } }],
      }
    },

    PaymentRefunded(state, _, { id }) {
      if (state.status !== 'refunding' || !state.is_receipt_voided) return { ignore: 'no payment is waited for' }
      return {
        events: [{ type: 'TicketRefunded_v1', ticket_id: id, booking_id: state.booking_id }],
        then: tellBooking(state, { type: 'TicketRefunded', ticket_id: id }),
      }
    },
  },

  evolve: {
    TicketBookingConfirmed_v1: (_, event) => ({ status: 'confirmed', ...detailsOf(event), ...nothingDone }),
    TicketBookingCanceled_v1: (state, event) => {
      const progress = state.status === 'unknown' ? nothingDone : progressOf(state)
      return { status: 'canceled', ...detailsOf(event), ...progress }
    },
    TicketReceiptIssued_v1: (state, { receipt_number, issued_at }) => {
      return state.status === 'unknown' ? state : { ...state, receipt: { number: receipt_number, issued_at } }
    },
    TicketPrinted_v1: (state, { file_name }) => (state.status === 'unknown' ? state : { ...state, file_name }),
    RowAppended_v1: (state, { sheet }) => {
      return state.status === 'unknown' ? state : { ...state, rows: [...state.rows, sheet] }
    },
    RefundRequested_v1: (state) => {
      return state.status === 'confirmed' ? { ...state, status: 'refunding', is_receipt_voided: false } : state
    },
    ReceiptVoided_v1: (state) => (state.status === 'refunding' ? { ...state, is_receipt_voided: true } : state),
    TicketRefunded_v1: (state) => {
      return state.status === 'refunding' ? { status: 'refunded', ...detailsOf(state), ...progressOf(state) } : state
    },
  },

  hasEnded(state) {
    switch (state.status) {
      case 'confirmed':
        return state.receipt !== null && state.file_name !== null && state.rows.includes('tickets-to-print')
      case 'canceled':
        return state.rows.includes('tickets-to-refund')
      default:
        return state.status !== 'refunding'
    }
  },
}

const nothingDone = { receipt: null, file_name: null, rows: [] }

const accepted = (id: string) => ({ ok: { ticket_id: id } })

function detailsOf({ booking_id, customer_email, price }: Details): Details {
  return { booking_id, customer_email, price }
}

function progressOf({ receipt, file_name, rows }: Known) {
  return { receipt, file_name, rows }
}

/** A ticket of no booking, or of one that we never had, is a ticket like any other: then nobody needs to be told. */
function tellBooking({ booking_id }: Details, command: Extract<Send, { send: 'booking' }>['command']): Send[] {
  return booking_id === '' ? [] : [{ send: 'booking', id: booking_id, command }]
}

function appendRow(
  sheet: 'tickets-to-print' | 'tickets-to-refund',
  id: string,
  { customer_email, price }: Details,
): Call {
  const columns = [id, customer_email, price.amount, price.currency]
  return { call: 'spreadsheets', request: { type: 'AppendRow', sheet, columns } }
}

function voidReceipt(id: string): Call {
  return { call: 'receipts', request: { type: 'VoidReceipt', ticket_id: id, reason: 'customer requested refund' } }
}

const fileName = (id: string): string => `${id}-ticket.html`

function print(id: string, { price }: Details): string {
  const [number, amount, currency] = [id, price.amount, price.currency].map(escapeHtml)
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Ticket ${number}</title></head>
<body><h1>Ticket</h1><p>${number}</p><p>${amount} ${currency}</p></body>
</html>
`
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character)
}

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { TicketCommand, TicketEvent, TicketState } from '../schemas/ticket.ts'
import { anyContext, given } from '../test/support/given.ts'
import { ticket } from './ticket.ts'

const ticketId = anyContext.id
const bookingId = '01900000-0000-7000-8000-000000000003'
const details = {
  booking_id: bookingId,
  customer_email: 'kate@example.com',
  price: { amount: '50.30', currency: 'EUR' },
}
const confirm: TicketCommand = { type: 'ConfirmTicket', ...details }
const cancel: TicketCommand = { type: 'CancelTicket', ...details }
const refund: TicketCommand = { type: 'RefundTicket' }
const receiptIssued: TicketCommand = { type: 'ReceiptIssued', number: 'R1', issued_at: '2026-01-03T00:00:00.000Z' }

const confirmed: TicketEvent = { type: 'TicketBookingConfirmed_v1', ticket_id: ticketId, ...details }
const canceled: TicketEvent = { type: 'TicketBookingCanceled_v1', ticket_id: ticketId, ...details }
const receipt: TicketEvent = {
  type: 'TicketReceiptIssued_v1',
  ticket_id: ticketId,
  booking_id: bookingId,
  receipt_number: 'R1',
  issued_at: '2026-01-03T00:00:00.000Z',
}
const requested: TicketEvent = { type: 'RefundRequested_v1' }
const voided: TicketEvent = { type: 'ReceiptVoided_v1' }
const refunded: TicketEvent = { type: 'TicketRefunded_v1', ticket_id: ticketId, booking_id: bookingId }

const reply = { ok: { ticket_id: ticketId } }
const voidReceipt = {
  call: 'receipts' as const,
  request: { type: 'VoidReceipt' as const, ticket_id: ticketId, reason: 'customer requested refund' },
}

describe('a ticket', () => {
  test('that is confirmed gets a receipt, a file and a row, and its booking is told', () => {
    const { decision } = given(ticket).when(confirm)
    assert.ok('events' in decision)
    assert.deepEqual(decision.events, [confirmed])
    assert.deepEqual(decision.reply, reply)
    const [issue, store, append, news] = decision.then ?? []
    assert.deepEqual(issue, {
      call: 'receipts',
      request: { type: 'IssueReceipt', ticket_id: ticketId, price: details.price },
    })
    assert.ok(store && 'call' in store && store.request.type === 'StoreFile')
    assert.equal(store.request.file_id, `${ticketId}-ticket.html`)
    assert.ok(store.request.content.includes(ticketId) && store.request.content.includes('50.30 EUR'))
    const columns = [ticketId, 'kate@example.com', '50.30', 'EUR']
    assert.deepEqual(append, {
      call: 'spreadsheets',
      request: { type: 'AppendRow', sheet: 'tickets-to-print', columns },
    })
    assert.deepEqual(news, {
      send: 'booking',
      id: bookingId,
      command: { type: 'TicketConfirmed', ticket_id: ticketId },
    })
  })

  test('without a booking is a ticket like any other', () => {
    const { decision } = given(ticket).when({ ...confirm, booking_id: '' })
    const intents = ('then' in decision ? decision.then : undefined) ?? []
    assert.equal(intents.length, 3)
    assert.ok(intents.every((intent) => 'call' in intent))
  })

  test('is printed with every value escaped', () => {
    const price = { amount: '1', currency: '<b>&"\'' }
    const { decision } = given(ticket).when({ ...confirm, price })
    const [, store] = ('then' in decision ? decision.then : undefined) ?? []
    assert.ok(store && 'call' in store && store.request.type === 'StoreFile')
    assert.ok(store.request.content.includes('1 &lt;b&gt;&amp;&quot;&#39;'))
  })

  test('is confirmed once: the first price counts, and a second time is answered', () => {
    given(ticket, confirmed)
      .when({ ...confirm, price: { amount: '1', currency: 'USD' } })
      .then({ ignore: 'the ticket is confirmed already', reply })
  })

  test('that is canceled gets its row, once, whether it was confirmed or not', () => {
    for (const history of [[], [confirmed]]) {
      const cancellation = given(ticket, ...history).when(cancel)
      cancellation.then({
        events: [canceled],
        then: [
          {
            call: 'spreadsheets',
            request: {
              type: 'AppendRow',
              sheet: 'tickets-to-refund',
              columns: [ticketId, 'kate@example.com', '50.30', 'EUR'],
            },
          },
          { send: 'booking', id: bookingId, command: { type: 'TicketCanceled', ticket_id: ticketId } },
        ],
        reply,
      })
      assert.equal(cancellation.stateAfter.status, 'canceled')
      given(ticket, ...history, canceled)
        .when(cancel)
        .thenIgnored()
    }
  })

  test('that was canceled before it was confirmed stays canceled', () => {
    given(ticket, canceled).when(confirm).thenIgnored()
  })

  test('is refunded step by step: the receipt is voided, then the payment goes back, then it is told', () => {
    given(ticket, confirmed, receipt)
      .when(refund)
      .then({ events: [requested], then: [voidReceipt], reply })
    given(ticket, confirmed, receipt, requested)
      .when({ type: 'ReceiptVoided' })
      .then({
        events: [voided],
        then: [
          {
            call: 'payments',
            request: { type: 'RefundPayment', payment_reference: ticketId, reason: 'refund' },
          },
        ],
      })
    given(ticket, confirmed, receipt, requested, voided)
      .when({ type: 'PaymentRefunded' })
      .then({
        events: [refunded],
        then: [{ send: 'booking', id: bookingId, command: { type: 'TicketRefunded', ticket_id: ticketId } }],
      })
  })

  test('whose receipt is not there yet is refunded as soon as it is', () => {
    given(ticket, confirmed)
      .when(refund)
      .then({ events: [requested], then: [], reply })
    given(ticket, confirmed, requested)
      .when(receiptIssued)
      .then({ events: [receipt], then: [voidReceipt] })
  })

  test('is refunded once, and a second request is answered like the first', () => {
    given(ticket, confirmed, requested).when(refund).then({ ignore: 'the ticket is refunding already', reply })
    given(ticket, confirmed, receipt, requested, voided, refunded)
      .when(refund)
      .then({ ignore: 'the ticket is refunded already', reply })
  })

  test('cannot be refunded when it is unknown, canceled, or another one', () => {
    given(ticket).when(refund).thenRefused('unknown-ticket')
    given(ticket, canceled).when(refund).thenRefused('ticket-canceled')
    given(ticket, confirmed)
      .when({ ...refund, ticket_id: bookingId })
      .thenRefused('wrong-ticket')
  })
})

describe('whatever a ticket is told', () => {
  const message = fc.constantFrom<TicketCommand>(
    confirm,
    cancel,
    refund,
    receiptIssued,
    { type: 'FileStored', file_name: `${ticketId}-ticket.html` },
    { type: 'RowAppended', sheet: 'tickets-to-print' },
    { type: 'RowAppended', sheet: 'tickets-to-refund' },
    { type: 'ReceiptVoided' },
    { type: 'PaymentRefunded' },
  )

  test('its money goes back by one way at most, and each call is made once', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 30 }), (messages) => {
        const history: TicketEvent[] = []
        const calls: string[] = []
        for (const one of messages) {
          const { decision } = given(ticket, ...history).when(one)
          if (!('events' in decision)) continue
          history.push(...decision.events)
          for (const intent of decision.then ?? []) {
            if ('call' in intent) calls.push(JSON.stringify(intent.request))
          }
        }
        assert.equal(new Set(calls).size, calls.length)
        const backBySheet = calls.some((call) => call.includes('tickets-to-refund'))
        const backByPayment = calls.some((call) => call.includes('RefundPayment'))
        assert.ok(!(backBySheet && backByPayment))
        const { status } = given(ticket, ...history).state as TicketState
        if (status === 'canceled') assert.ok(backBySheet)
        if (status === 'refunded') assert.ok(backByPayment)
      }),
    )
  })
})

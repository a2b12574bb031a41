import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { describe, test } from 'node:test'
import type { Service } from '../../schemas/index.ts'
import { deadNation } from './dead-nation.ts'
import { aDelivery, aWorker, effectId, startServer, ticketId } from './effects.fixtures.ts'
import { files } from './files.ts'
import { payments } from './payments.ts'
import { receipts } from './receipts.ts'
import type { AnyAdapter, ServiceAdapter } from './service.ts'
import { spreadsheets } from './spreadsheets.ts'
import { transportation } from './transportation.ts'
import { carryOut } from './worker.ts'

type Message = { type: string; [field: string]: unknown }

/** What the contract says of each call, word for word. */
type Row = {
  adapter: AnyAdapter
  request: Message
  call: string
  /** None is a call without one. */
  body?: unknown
  /** By status, with an answer that counts, and what is then told. */
  done: Record<number, unknown>
  tells: Message
  refused: number[]
  /** What is told of a refusal. None is a dead letter. */
  tellsRefusal?: Message
}

const issuedAt = '2026-12-01T23:30:00-01:00'
const columns = [ticketId, 'ada@example.org', '50.30', 'EUR']
const order = {
  booking_id: ticketId,
  customer_address: 'ada@example.org',
  event_id: '3f8a9c54-90a4-4e0d-8a3f-5a7f6b1c2d3e',
  number_of_tickets: 2,
}

const rows: Row[] = [
  {
    adapter: deadNation,
    request: { type: 'BookTickets', ...order },
    call: 'POST /dead-nation-api/ticket/booking',
    body: order,
    done: { 200: { booking_id: ticketId } },
    tells: { type: 'DeadNationAccepted' },
    refused: [400, 409],
    tellsRefusal: { type: 'DeadNationRefused', reason: 'because' },
  },
  {
    adapter: receipts,
    request: { type: 'IssueReceipt', ticket_id: ticketId, price: { amount: '50.30', currency: 'EUR' } },
    call: 'PUT /receipts-api/receipts',
    body: {
      ticket_id: ticketId,
      price: { money_amount: '50.30', money_currency: 'EUR' },
      idempotency_key: effectId,
    },
    done: {
      200: { number: 'R-1', issued_at: issuedAt },
      201: { number: 'R-1', issued_at: issuedAt, more: true },
    },
    tells: { type: 'ReceiptIssued', number: 'R-1', issued_at: '2026-12-02T00:30:00.000Z' },
    refused: [400],
  },
  {
    adapter: receipts,
    request: { type: 'VoidReceipt', ticket_id: ticketId, reason: 'customer requested refund' },
    call: 'PUT /receipts-api/void-receipt',
    body: { ticket_id: ticketId, reason: 'customer requested refund', idempotent_id: effectId },
    done: { 200: {}, 201: '' },
    tells: { type: 'ReceiptVoided' },
    refused: [400],
  },
  {
    adapter: payments,
    request: { type: 'RefundPayment', payment_reference: ticketId, reason: 'refund' },
    call: 'PUT /payments-api/refunds',
    body: { payment_reference: ticketId, reason: 'refund', deduplication_id: effectId },
    done: { 200: '' },
    tells: { type: 'PaymentRefunded' },
    refused: [400],
  },
  {
    adapter: spreadsheets,
    request: { type: 'AppendRow', sheet: 'tickets-to-print', columns },
    call: 'POST /spreadsheets-api/sheets/tickets-to-print/rows',
    body: { columns },
    done: { 200: {} },
    tells: { type: 'RowAppended', sheet: 'tickets-to-print' },
    refused: [400],
  },
  {
    adapter: files,
    request: { type: 'StoreFile', file_id: `${ticketId}-ticket.html`, content: '<p>é</p>' },
    call: `PUT /files-api/files/${ticketId}-ticket.html/content`,
    body: '<p>é</p>',
    done: { 200: '', 201: {}, 409: 'it is there' },
    tells: { type: 'FileStored', file_name: `${ticketId}-ticket.html` },
    refused: [400],
  },
  {
    adapter: transportation,
    request: {
      type: 'BookFlight',
      customer_email: 'ada@example.org',
      to_flight_id: order.event_id,
      passengers: ['Ada', 'Bert'],
      reference_id: ticketId,
      leg: 'return',
    },
    call: 'PUT /transportation-api/flight-tickets',
    body: {
      customer_email: 'ada@example.org',
      flight_id: order.event_id,
      passenger_names: ['Ada', 'Bert'],
      reference_id: ticketId,
      idempotency_key: effectId,
    },
    done: { 201: { ticket_ids: ['F-1', 'F/2', 'F-1'] } },
    tells: { type: 'FlightBooked', leg: 'return', flight_ticket_ids: ['F-1', 'F/2'] },
    refused: [400, 409],
    tellsRefusal: { type: 'FlightRefused', leg: 'return', reason: 'because' },
  },
  {
    adapter: transportation,
    request: { type: 'CancelFlightTickets', flight_ticket_id: ['F/2 ?'] },
    call: 'DELETE /transportation-api/flight-tickets/F%2F2%20%3F',
    done: { 200: {}, 204: '', 404: '<html>' },
    tells: { type: 'FlightTicketCanceled', flight_ticket_id: 'F/2 ?' },
    refused: [],
  },
  {
    adapter: transportation,
    request: {
      type: 'BookTaxi',
      customer_email: 'ada@example.org',
      customer_name: 'Ada',
      number_of_passengers: 2,
      reference_id: ticketId,
    },
    call: 'PUT /transportation-api/taxi-booking',
    body: {
      customer_email: 'ada@example.org',
      number_of_passengers: 2,
      passenger_name: 'Ada',
      reference_id: ticketId,
      idempotency_key: effectId,
    },
    done: { 201: { booking_id: 'T-1' } },
    tells: { type: 'TaxiBooked', taxi_booking_id: 'T-1' },
    refused: [400, 409],
    tellsRefusal: { type: 'TaxiRefused', reason: 'because' },
  },
  {
    adapter: transportation,
    request: { type: 'CancelTaxi', taxi_booking_id: '../T 1' },
    call: 'DELETE /transportation-api/taxi-booking/..%2FT%201',
    done: { 200: {}, 204: '', 404: 'gone' },
    tells: { type: 'TaxiCanceled', taxi_booking_id: '../T 1' },
    refused: [],
  },
]

const everyStatus = [200, 201, 202, 204, 301, 400, 401, 403, 404, 408, 409, 422, 425, 429, 500, 502, 503, 504]
const service = ({ adapter }: Row): Service => adapter.service

for (const row of rows) {
  describe(`${service(row)} ${row.request.type}`, () => {
    test('is called as the contract says, with its key', async (t) => {
      const [[status = 0, answer] = []] = Object.entries(row.done)
      const { calls, gateway } = await startServer(t, (_, response) => respond(response, Number(status), answer))
      const { settings, told } = aWorker(row.adapter, gateway)
      const { effect, became } = aDelivery(service(row), row.request)
      await carryOut(effect, settings)
      const [call, ...others] = calls
      assert.deepEqual(others, [])
      assert.equal(call?.line, row.call)
      if (row.body === undefined) assert.deepEqual([call.body, call.headers['content-type']], ['', undefined])
      else {
        assert.deepEqual(typeof row.body === 'string' ? call.body : JSON.parse(call.body), row.body)
        const type = typeof row.body === 'string' ? 'text/plain; charset=utf-8' : 'application/json'
        assert.equal(call.headers['content-type'], type)
      }
      assert.equal(call.headers['idempotency-key'], effectId)
      assert.deepEqual(told, [row.tells])
      assert.equal(became.done, 1)
    })

    for (const status of everyStatus) {
      const isDone = status in row.done
      const isRefused = row.refused.includes(status)
      test(`${status} is ${isDone ? 'done' : isRefused ? 'refused' : 'temporary'}`, async (t) => {
        const answer = isDone ? row.done[status] : { error: 'because' }
        const { gateway } = await startServer(t, (_, response) => respond(response, status, answer))
        const { settings, told, letters, counted } = aWorker(row.adapter, gateway)
        const { effect, became } = aDelivery(service(row), row.request)
        await carryOut(effect, settings)
        assert.deepEqual(counted, [isDone ? 'done' : isRefused ? 'refused' : 'temporary'])
        const codes = letters.map(({ code, cause }) => [code, cause])
        assert.deepEqual(codes, isRefused && !row.tellsRefusal ? [['effect-refused', 'because']] : [])
        assert.deepEqual(told, isDone ? [row.tells] : isRefused && row.tellsRefusal ? [row.tellsRefusal] : [])
        assert.deepEqual(became, isDone || isRefused ? { done: 1, retries: [] } : { done: 0, retries: [200] })
      })
    }

    test('success in other words than JSON is temporary', async (t) => {
      const [status] = Object.keys(row.done).map(Number)
      const { gateway } = await startServer(t, (_, response) => respond(response, status ?? 0, '<html>'))
      const { settings, told } = aWorker(row.adapter, gateway)
      const { effect, became } = aDelivery(service(row), row.request)
      await carryOut(effect, settings)
      assert.deepEqual(told, [])
      assert.deepEqual(became, { done: 0, retries: [200] })
    })
  })
}

test('a receipt without its number or time is temporary', async (t) => {
  for (const answer of [
    '',
    { number: 'R-1' },
    { number: '', issued_at: issuedAt },
    { number: 'R-1', issued_at: 'now' },
  ]) {
    const { gateway } = await startServer(t, (_, response) => respond(response, 200, answer))
    const { settings, told } = aWorker(receipts, gateway)
    const { effect, became } = aDelivery('receipts', rows[1]?.request ?? { type: '' })
    await carryOut(effect, settings)
    assert.deepEqual(told, [])
    assert.equal(became.retries.length, 1)
  }
})

describe('a row whose append may have happened', () => {
  const request = { type: 'AppendRow', sheet: 'tickets-to-refund', columns }

  /** A sheet that loses its answers to the first so many appends. */
  const startSheet = async (t: { after(stop: () => void): void }, lost: { answers: number; rows: boolean }) => {
    const sheet: unknown[][] = [['somebody', 'else', 1, null], columns.with(0, 'x')]
    let left = lost.answers
    const server = await startServer(t, ({ line, body }, response, { socket }) => {
      if (line.startsWith('GET')) return respond(response, 200, { rows: sheet })
      const isLost = left-- > 0
      if (!isLost || !lost.rows) sheet.push((JSON.parse(body) as { columns: string[] }).columns)
      if (isLost) socket.resetAndDestroy()
      else respond(response, 200, {})
    })
    return { ...server, count: () => sheet.filter(([first]) => first === ticketId).length }
  }
  const methods = (calls: { line: string }[]) => calls.map(({ line }) => line.split(' ')[0])

  test('is looked for, and not appended again', async (t) => {
    const { calls, gateway, count } = await startSheet(t, { answers: 1, rows: false })
    const { settings, told } = aWorker(spreadsheets, gateway)
    const first = aDelivery('spreadsheets', request)
    await carryOut(first.effect, settings)
    assert.deepEqual(first.became, { done: 0, retries: [200] })
    assert.equal(count(), 1)
    const second = aDelivery('spreadsheets', request, { attempt: 2 })
    await carryOut(second.effect, settings)
    assert.equal(count(), 1)
    assert.deepEqual(methods(calls), ['POST', 'GET'])
    assert.equal(calls[1]?.line, 'GET /spreadsheets-api/sheets/tickets-to-refund/rows')
    assert.equal(calls[1]?.headers['content-type'], undefined)
    assert.deepEqual(told, [{ type: 'RowAppended', sheet: 'tickets-to-refund' }])
    assert.equal(second.became.done, 1)
  })

  test('is appended when it is missing', async (t) => {
    const { calls, gateway, count } = await startSheet(t, { answers: 1, rows: true })
    const { settings } = aWorker(spreadsheets, gateway)
    await carryOut(aDelivery('spreadsheets', request).effect, settings)
    assert.equal(count(), 0)
    await carryOut(aDelivery('spreadsheets', request, { attempt: 2 }).effect, settings)
    assert.equal(count(), 1)
    assert.deepEqual(methods(calls), ['POST', 'GET', 'POST'])
  })

  test('is looked for even at the first attempt of what may be a repetition', async (t) => {
    const { calls, gateway } = await startSheet(t, { answers: 0, rows: false })
    const { settings } = aWorker(spreadsheets, gateway)
    await carryOut(aDelivery('spreadsheets', request, { mayBeRepeat: true }).effect, settings)
    assert.deepEqual(methods(calls), ['GET', 'POST'])
  })

  test('is looked for when it has waited so long that another process may have it', async (t) => {
    const { calls, gateway } = await startSheet(t, { answers: 0, rows: false })
    const { settings } = aWorker(spreadsheets, gateway)
    for (const waitMs of [10_000, 10_001]) {
      let nowMs = 0
      const clock = { ...settings.clock, monotonicMs: () => nowMs }
      const gate: typeof settings.gate = {
        pass(call) {
          nowMs = waitMs
          return call()
        },
      }
      await carryOut(aDelivery('spreadsheets', request).effect, { ...settings, clock, gate })
    }
    assert.deepEqual(methods(calls), ['POST', 'GET'])
  })

  test('is appended once when two copies of it come at the same time', async (t) => {
    const { calls, gateway, count } = await startSheet(t, { answers: 0, rows: true })
    const { settings, told } = aWorker(spreadsheets, gateway)
    const copies = [aDelivery('spreadsheets', request), aDelivery('spreadsheets', request)]
    await Promise.all(copies.map(({ effect }) => carryOut(effect, settings)))
    assert.deepEqual([methods(calls), count()], [['POST', 'GET'], 1])
    assert.equal(told.length, 2)
  })

  for (const [name, status, answer] of [
    ['a sheet that cannot be read', 503, ''],
    ['an answer that is no sheet', 200, { rows: 1 }],
    ['an empty answer', 200, ''],
  ] as const) {
    test(`is not appended on ${name}`, async (t) => {
      const { calls, gateway } = await startServer(t, (_, response) => respond(response, status, answer))
      const { settings, told } = aWorker(spreadsheets, gateway)
      const { effect, became } = aDelivery('spreadsheets', request, { attempt: 3 })
      await carryOut(effect, settings)
      assert.deepEqual(methods(calls), ['GET'])
      assert.deepEqual(told, [])
      assert.deepEqual(became, { done: 0, retries: [800] })
    })
  }

  test('is found in a sheet of many tickets', async (t) => {
    const many = Array.from({ length: 20_000 }, (_, index) => columns.with(0, `ticket ${index}`))
    const { calls, gateway } = await startServer(t, (_, response) =>
      respond(response, 200, { rows: [...many, columns] }),
    )
    const { settings } = aWorker(spreadsheets, gateway)
    const { effect, became } = aDelivery('spreadsheets', request, { attempt: 2 })
    await carryOut(effect, { ...settings, timeoutMs: 5_000 })
    assert.deepEqual(methods(calls), ['GET'])
    assert.equal(became.done, 1)
  })
})

test('a wrong request or outcome does not compile', () => {
  const refund = payments.calls.RefundPayment
  const wrong: ServiceAdapter<'payments', 'ticket'>[] = [
    // @ts-expect-error a request that no service takes
    { ...payments, calls: { RefundPayment: refund, PayTwice: refund } },
    // @ts-expect-error a request without its call
    { ...payments, calls: {} },
    // @ts-expect-error an outcome that is not the asking actor's
    { ...payments, calls: { RefundPayment: { ...refund, onDone: () => ({ type: 'DeadNationAccepted' }) } } },
  ]
  assert.equal(wrong.length, 3)
})

function respond(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
}

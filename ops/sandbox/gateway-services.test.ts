import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Gateway, startGateway } from './gateway.ts'
import { freePort } from './ports.ts'

const ticketId = '0197b6c0-5b7e-7cc1-8a39-6d1f0e8d4a01'
const bookingId = '0197b6c0-5b7e-7cc1-8a39-6d1f0e8d4a02'

type Sent = { status: number; body: unknown }
type Send = (call: string, body?: unknown, key?: string) => Promise<Sent>

async function startWorld(t: { after(stop: () => Promise<void>): void }) {
  // Nobody listens there: what is confirmed is no matter here.
  const daemonUrl = `http://127.0.0.1:${await freePort()}`
  const gateway = await startGateway({ port: await freePort(), daemonUrl, confirmAfterMs: 60_000 })
  t.after(() => gateway.close())
  const send: Send = async (call, body, key = 'k1') => {
    const [method = '', path = ''] = call.split(' ')
    const response = await fetch(gateway.addr + path, {
      method,
      headers: { 'Idempotency-Key': key },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(5_000),
    })
    const text = await response.text()
    return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text }
  }
  return { gateway, send }
}

const receipt = (idempotency_key: string) => ({
  ticket_id: ticketId,
  price: { money_amount: '50.30', money_currency: 'EUR' },
  idempotency_key,
})
const state = (gateway: Gateway) => gateway.report() as unknown as Record<string, never[]>

test('receipts: one for each key, the first answer again for the same one', async (t) => {
  const { gateway, send } = await startWorld(t)
  const first = await send('PUT /receipts-api/receipts', receipt('k1'), 'k1')
  assert.equal(first.status, 201)
  const { number, issued_at } = first.body as Record<string, string>
  assert.ok(number && !Number.isNaN(Date.parse(issued_at ?? '')))
  assert.deepEqual(await send('PUT /receipts-api/receipts', receipt('k1'), 'k1'), first)
  assert.equal((await send('PUT /receipts-api/receipts', receipt('k2'), 'k2')).status, 201)
  assert.equal((await send('PUT /receipts-api/receipts', { ...receipt('k2'), ticket_id: bookingId }, 'k2')).status, 400)
  assert.equal((await send('PUT /receipts-api/receipts', {}, 'k3')).status, 400)

  const request = { ticket_id: ticketId, reason: 'customer requested refund', idempotent_id: 'v1' }
  assert.equal((await send('PUT /receipts-api/void-receipt', request, 'v1')).status, 200)
  assert.equal((await send('PUT /receipts-api/void-receipt', request, 'v1')).status, 200)

  assert.equal(state(gateway).receipts?.length, 2)
  assert.deepEqual(state(gateway).voided_receipts, [request])
  const { calls, repeats, distinct_keys, effects_by_key } = gateway.report()
  assert.equal(calls.receipts, 7)
  assert.equal(repeats.receipts, 2)
  assert.equal(distinct_keys.receipts, 4)
  assert.deepEqual(effects_by_key.receipts, { k1: 1, k2: 1, k3: 0, v1: 1 })
})

test('payments: one refund for each deduplication id', async (t) => {
  const { gateway, send } = await startWorld(t)
  const refund = { payment_reference: ticketId, reason: 'refund', deduplication_id: 'd1' }
  assert.equal((await send('PUT /payments-api/refunds', refund)).status, 200)
  assert.equal((await send('PUT /payments-api/refunds', refund)).status, 200)
  assert.equal((await send('PUT /payments-api/refunds', { ...refund, payment_reference: 'x' })).status, 400)
  assert.deepEqual(state(gateway).refunds, [refund])
})

test('spreadsheets: whatever comes is appended, as often as it comes', async (t) => {
  const { gateway, send } = await startWorld(t)
  const rows = '/spreadsheets-api/sheets/tickets-to-print/rows'
  assert.deepEqual(await send(`GET ${rows}`), { status: 200, body: { rows: [] } })
  assert.equal((await send(`POST ${rows}`, { columns: ['a', 'b'] })).status, 200)
  assert.equal((await send(`POST ${rows}`, { columns: ['a', 'b'] })).status, 200)
  assert.equal((await send(`POST ${rows}`, { columns: [1] })).status, 400)
  const twice = [
    ['a', 'b'],
    ['a', 'b'],
  ]
  assert.deepEqual(await send(`GET ${rows}`), { status: 200, body: { rows: twice } })
  assert.deepEqual(state(gateway).sheets, { 'tickets-to-print': twice })
  assert.deepEqual(gateway.report().effects_by_key.spreadsheets, { k1: 2 })
})

test('files: the first content stays, and 409 says that it is there', async (t) => {
  const { gateway, send } = await startWorld(t)
  const content = `/files-api/files/${ticketId}-ticket.html/content`
  assert.equal((await send(`PUT ${content}`, '<p>one</p>')).status, 201)
  assert.equal((await send(`PUT ${content}`, '<p>two</p>')).status, 409)
  assert.equal((await send('PUT /files-api/files/x/content', '')).status, 400)
  assert.equal((await send('PUT /files-api/files/%zz/content', 'x')).status, 404)
  assert.deepEqual(state(gateway).files, { [`${ticketId}-ticket.html`]: '<p>one</p>' })
  assert.equal(gateway.report().repeats.files, 1)
})

const flight = {
  customer_email: 'ada@example.org',
  flight_id: bookingId,
  passenger_names: ['Ada', 'Bert'],
  reference_id: ticketId,
}
const taxi = {
  customer_email: 'ada@example.org',
  number_of_passengers: 2,
  passenger_name: 'Ada',
  reference_id: ticketId,
}

test('transportation: a flight or taxi for each key, gone once it is canceled', async (t) => {
  const { gateway, send } = await startWorld(t)
  const first = await send('PUT /transportation-api/flight-tickets', { ...flight, idempotency_key: 'k1' }, 'k1')
  assert.equal(first.status, 201)
  const { ticket_ids } = first.body as { ticket_ids: string[] }
  assert.equal(ticket_ids.length, 2)
  const again = await send('PUT /transportation-api/flight-tickets', { ...flight, idempotency_key: 'k1' }, 'k1')
  assert.deepEqual(again, first)
  const other = await send('PUT /transportation-api/taxi-booking', { ...taxi, idempotency_key: 'k2' }, 'k2')
  assert.equal(other.status, 201)
  assert.equal(state(gateway).flight_tickets?.length, 2)
  assert.equal(state(gateway).taxi_bookings?.length, 1)

  const { booking_id } = other.body as { booking_id: string }
  const cancellations = [
    ...ticket_ids.map((id) => `DELETE /transportation-api/flight-tickets/${id}`),
    `DELETE /transportation-api/taxi-booking/${booking_id}`,
  ]
  for (const cancellation of cancellations) {
    assert.deepEqual(await send(cancellation, undefined, cancellation), { status: 204, body: '' })
    assert.equal((await send(cancellation, undefined, cancellation)).status, 404)
  }
  assert.deepEqual(state(gateway).flight_tickets, [])
  assert.deepEqual(state(gateway).taxi_bookings, [])
  assert.deepEqual(state(gateway).canceled_transportation, [...ticket_ids, booking_id])
  assert.equal(gateway.report().repeats.transportation, 4)
  assert.equal((await send('PUT /transportation-api/flight-tickets', { ...flight, passenger_names: [] })).status, 400)
  assert.equal((await send('PUT /transportation-api/taxi-booking', {})).status, 400)
})

test('transportation: sold out is only what is bought, and a fault can be about one thing alone', async (t) => {
  const { send } = await startWorld(t)
  const bookTaxi = () => send('PUT /transportation-api/taxi-booking', { ...taxi, idempotency_key: 'k2' }, 'k2')
  const { booking_id } = (await bookTaxi()).body as { booking_id: string }
  await send('PUT /_faults', { transportation: { sold_out: true, about: '/flight-tickets' } })
  assert.equal((await bookTaxi()).status, 201)
  assert.equal((await send('PUT /transportation-api/flight-tickets', { ...flight, idempotency_key: 'k' })).status, 409)
  await send('PUT /_faults', { transportation: { sold_out: true } })
  assert.equal((await send(`DELETE /transportation-api/taxi-booking/${booking_id}`)).status, 204)
})

test('what no service has is 404, in the report for browsers all is shown', async (t) => {
  const { gateway, send } = await startWorld(t)
  assert.equal((await send('GET /receipts-api/receipts')).status, 404)
  assert.equal((await send('GET /nowhere')).status, 404)
  await send('PUT /files-api/files/f/content', '<script>alert(1)</script>')
  const page = await (await fetch(gateway.addr, { headers: { Accept: 'text/html' } })).text()
  assert.match(page, /<td>files<\/td><td>1<\/td>/)
  assert.ok(!page.includes('<script>'))
})

const call = 'PUT /receipts-api/receipts'
const issued = ({ report }: Gateway) => (report() as unknown as { receipts: unknown[] }).receipts.length
const struck = async (send: Send) => {
  const { body } = await send('GET /_faults')
  return (body as { receipts: { struck: Record<string, number> } }).receipts.struck
}

test('a fault that says a status does nothing else, and only to its service', async (t) => {
  const { gateway, send } = await startWorld(t)
  await send('PUT /_faults', { receipts: { status: 503 } })
  assert.equal((await send(call, receipt('k1'))).status, 503)
  assert.equal((await send(call, receipt('k1'))).status, 503)
  assert.equal((await send('PUT /files-api/files/f/content', 'x')).status, 201)
  assert.equal(issued(gateway), 0)
  assert.deepEqual(await struck(send), { status: 2 })
  assert.deepEqual(await send('DELETE /_faults'), {
    status: 200,
    body: { receipts: { status: 503, struck: { status: 2 } } },
  })
  assert.deepEqual(await send('GET /_faults'), { status: 200, body: {} })
  assert.equal((await send(call, receipt('k1'))).status, 201)
})

test('a delay answers late, what was done at once', async (t) => {
  const { gateway, send } = await startWorld(t)
  await send('PUT /_faults', { receipts: { delay_ms: 150 } })
  const startedMs = performance.now()
  const answer = send(call, receipt('k1'))
  while (issued(gateway) === 0) await new Promise(setImmediate)
  assert.ok(performance.now() - startedMs < 140)
  assert.equal((await answer).status, 201)
  assert.ok(performance.now() - startedMs >= 145)
  assert.deepEqual(await struck(send), { delay_ms: 1 })
})

test('a reset comes after success, and only after success', async (t) => {
  const { gateway, send } = await startWorld(t)
  await send('PUT /_faults', { receipts: { reset_after_success: true } })
  await assert.rejects(send(call, receipt('k1')))
  assert.equal(issued(gateway), 1)
  assert.equal((await send(call, {})).status, 400)
  assert.deepEqual(await struck(send), { reset_after_success: 1 })
})

test('garbage says 200 to what was done', async (t) => {
  const { gateway, send } = await startWorld(t)
  await send('PUT /_faults', { receipts: { garbage: true } })
  const { status, body } = await send(call, receipt('k1'))
  assert.equal(status, 200)
  assert.throws(() => JSON.parse(String(body)))
  assert.equal(issued(gateway), 1)
  assert.deepEqual(await struck(send), { garbage: 1 })
})

test('who hangs up on a service that hangs gets nothing done', async (t) => {
  const { gateway, send } = await startWorld(t)
  await send('PUT /_faults', { receipts: { hang_ms: 200 } })
  const options = { method: 'PUT', body: JSON.stringify(receipt('k1')), signal: AbortSignal.timeout(50) }
  await assert.rejects(fetch(`${gateway.addr}/receipts-api/receipts`, options))
  assert.equal((await send(call, receipt('k2'))).status, 201)
  assert.equal(issued(gateway), 1)
  assert.deepEqual(await struck(send), { hang_ms: 2 })
})

test('sold out is the final no of who sells, and of no other', async (t) => {
  const { send } = await startWorld(t)
  await send('PUT /_faults', { 'dead-nation': { sold_out: true } })
  const booking = { booking_id: bookingId, customer_address: 'a@b.io', event_id: ticketId, number_of_tickets: 1 }
  assert.equal((await send('POST /dead-nation-api/ticket/booking', booking)).status, 409)
  assert.equal((await send('PUT /_faults', { receipts: { sold_out: true } })).status, 400)
})

test('a probability strikes some', async (t) => {
  const { send } = await startWorld(t)
  await send('PUT /_faults', { receipts: { status: 500, probability: 0.5 } })
  const statuses: number[] = []
  for (let index = 0; index < 100; index++) statuses.push((await send(call, receipt(`k${index}`))).status)
  const failed = statuses.filter((status) => status === 500).length
  assert.ok(failed > 20 && failed < 80, `${failed} of 100`)
  assert.deepEqual(await struck(send), { status: failed })
})

test('faults of some services leave those of others as they are; an empty one clears', async (t) => {
  const { send } = await startWorld(t)
  await send('PUT /_faults', { receipts: { status: 500 }, files: { garbage: true } })
  const { body } = await send('PUT /_faults', { receipts: {} })
  assert.deepEqual(body, { files: { garbage: true, struck: {} } })
})

test('of several faults of a service the first that hits a call strikes it', async (t) => {
  const { gateway, send } = await startWorld(t)
  const faults = [
    { status: 400, about: 'k1' },
    { garbage: true, about: 'k1' },
    { status: 503, about: 'k2' },
  ]
  await send('PUT /_faults', { receipts: faults })
  const statuses = []
  for (const key of ['k1', 'k2', 'k3']) statuses.push((await send(call, receipt(key))).status)
  assert.deepEqual(statuses, [400, 503, 201])
  assert.equal(issued(gateway), 1)
  const struck = [{ status: 1 }, {}, { status: 1 }]
  assert.deepEqual((await send('DELETE /_faults')).body, {
    receipts: faults.map((fault, index) => ({ ...fault, struck: struck[index] })),
  })
})

test('faults that make no sense are refused', async (t) => {
  const { send } = await startWorld(t)
  for (const body of [
    '{',
    '[]',
    { nobody: {} },
    { files: { status: 200 } },
    { files: { delay: 1 } },
    { files: { probability: 2 } },
    { files: [{ garbage: true }, { delay: 1 }] },
  ]) {
    assert.equal((await send('PUT /_faults', body)).status, 400, JSON.stringify(body))
  }
})

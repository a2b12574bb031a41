import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { TurnstileError } from '../errors.ts'
import { createHouse, openIngress, type TestHouse } from './house.fixtures.ts'
import type { Ingress } from './server.ts'

const [first, second, third] = [
  '5c0f1d9e-6f0b-4a57-9a0e-3f1f0a3b7c21',
  '019389c2-4c00-7d2e-9a51-6f1b0c7a8e44',
  '3f8a9c54-90a4-4e0d-8a3f-5a7f6b1c2d3e',
]
const bookingId = '019389c7-1f3a-7b08-8c66-2d94e5b1a703'
const price = { amount: '50.30', currency: 'EUR' }
const details = { booking_id: bookingId, customer_email: 'ada@example.org', price }
const confirmed = { ticket_id: first, status: 'confirmed', ...details }
const canceled = { ticket_id: second, status: 'canceled', ...details }

let house: TestHouse
let ingress: Ingress

async function open(settings: Record<string, string> = {}): Promise<void> {
  house = createHouse()
  ingress = await openIngress(house, settings)
}

beforeEach(() => open())
afterEach(() => ingress.close())

const report = (tickets: unknown[], key = 'webhook-1', to = ingress) =>
  fetch(`${to.url}/tickets-status`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
    body: JSON.stringify({ tickets }),
  })

const send = (method: string, path: string, init: RequestInit = {}) =>
  fetch(`${ingress.url}${path}`, { method, ...init })

async function assertProblem(response: Response, status: number, code: string): Promise<void> {
  const problem = (await response.json()) as { type: string }
  assert.deepEqual([response.status, problem.type], [status, `/problems/${code}`])
}

const idsSent = () => house.sent.map(({ messageId }) => messageId)

function refuse(refused: string): void {
  house.onSend = async ({ messageId }) => {
    house.answer({ requestId: messageId, reply: { refused, reason: 'because' } })
    return { duplicate: false }
  }
}

describe('a batch of tickets', () => {
  test('is one command for each, in its order, and an empty answer', async () => {
    const response = await report([confirmed, canceled, { ...confirmed, ticket_id: third }])
    assert.equal(response.status, 200)
    assert.equal(await response.text(), '')
    assert.deepEqual(
      house.sent.map(({ address, command }) => [address, command]),
      [
        [
          { kind: 'ticket', id: first },
          { type: 'ConfirmTicket', ...details },
        ],
        [
          { kind: 'ticket', id: second },
          { type: 'CancelTicket', ...details },
        ],
        [
          { kind: 'ticket', id: third },
          { type: 'ConfirmTicket', ...details },
        ],
      ],
    )
    assert.equal(new Set(idsSent()).size, 3)
    for (const { messageId, meta } of house.sent) assert.equal(meta.requestId, messageId)
  })

  test('may leave out the booking and the currency, or leave them empty', async () => {
    const { booking_id: _, ...noBooking } = confirmed
    await report([
      { ...noBooking, price: { amount: '0' } },
      { ...canceled, booking_id: '', price: { amount: '999999999999.9999', currency: '' } },
      { ...confirmed, ticket_id: third.toUpperCase(), booking_id: bookingId.toUpperCase(), seat: 'A 1' },
    ])
    const { customer_email } = details
    assert.deepEqual(
      house.sent.map(({ command }) => command),
      [
        { type: 'ConfirmTicket', booking_id: '', customer_email, price: { amount: '0', currency: 'USD' } },
        {
          type: 'CancelTicket',
          booking_id: '',
          customer_email,
          price: { amount: '999999999999.9999', currency: 'USD' },
        },
        { type: 'ConfirmTicket', ...details },
      ],
    )
    assert.equal(house.sent[2]?.address.id, third)
  })

  test('of a thousand is taken', async () => {
    assert.equal((await report(Array(1_000).fill(confirmed))).status, 200)
    assert.equal(new Set(idsSent()).size, 1_000)
  })

  test('is answered once every turn is committed', async () => {
    house.onSend = async () => ({ duplicate: false })
    let isAnswered = false
    const response = report([confirmed, canceled]).then((answer) => {
      isAnswered = true
      return answer
    })
    while (house.sent.length < 2) await sleep(5)
    const [one, other] = idsSent()
    assert.ok(one && other)
    const reply = { ok: {} }
    house.answer({ requestId: other, reply })
    await sleep(50)
    assert.equal(isAnswered, false)
    house.answer({ requestId: one, reply })
    assert.equal((await response).status, 200)
  })

  test('that comes again has the same ids in any process', async () => {
    const otherHouse = createHouse()
    otherHouse.keys = house.keys
    const other = await openIngress(otherHouse)
    const shuffled = Object.fromEntries(Object.entries(canceled).reverse())
    assert.equal((await report([confirmed, canceled])).status, 200)
    assert.equal((await report([confirmed, shuffled], 'webhook-1', other)).status, 200)
    await other.close()
    assert.deepEqual(
      otherHouse.sent.map(({ address, messageId, command, meta: { fingerprint } }) => [
        address,
        messageId,
        command,
        fingerprint,
      ]),
      house.sent.map(({ address, messageId, command, meta: { fingerprint } }) => [
        address,
        messageId,
        command,
        fingerprint,
      ]),
    )
    await report([confirmed, canceled], 'webhook-2')
    assert.equal(new Set(idsSent()).size, 4)
  })

  test('says of its commands whether its key is new', async () => {
    await report([confirmed, canceled])
    await report([confirmed, canceled])
    assert.deepEqual(
      house.sent.map(({ isFirst }) => isFirst),
      [true, true, false, false],
    )
  })

  test('that comes twice at once is published once', async () => {
    const answers = await Promise.all([report([confirmed, canceled]), report([confirmed, canceled])])
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200],
    )
    assert.equal(new Set(idsSent()).size, 2)
  })

  test('under the key of another is refused whole, whatever it holds', async () => {
    await report([confirmed])
    const others = [[{ ...canceled, ticket_id: third }], [confirmed, canceled], [{ ...confirmed, status: 'canceled' }]]
    for (const tickets of others) await assertProblem(await report(tickets), 422, 'idempotency-key-reused')
    assert.equal(house.sent.length, 1)
    assert.equal((await report([confirmed])).status, 200)
  })

  test('that could be sent in part only has an unknown outcome, and can come again', async () => {
    const { onSend } = house
    house.onSend = async (command) => {
      if (command.address.id === second) throw new TurnstileError('mailbox-full', 'full')
      return onSend(command)
    }
    await assertProblem(await report([confirmed, canceled]), 503, 'outcome-unknown')
    house.onSend = onSend
    assert.equal((await report([confirmed, canceled])).status, 200)
    assert.equal(new Set(idsSent()).size, 2)
  })

  test('meets a fault of ours, and it is told as one', async () => {
    house.onSend = async () => {
      throw new Error('secret')
    }
    await assertProblem(await report([confirmed, canceled]), 500, 'internal')
  })

  test('is not sent when its key cannot be claimed', async () => {
    house.reads.claimKey = async () => {
      throw new TurnstileError('database-unavailable', 'gone')
    }
    await assertProblem(await report([confirmed]), 503, 'unavailable')
    assert.deepEqual(house.sent, [])
  })

  test('finds room wherever a single command does, however many tickets it has', async () => {
    await ingress.close()
    await open({ TURNSTILE_MAX_PENDING_REQUESTS: '2' })
    const { onSend } = house
    house.onSend = async () => ({ duplicate: false })
    const waiting = report([confirmed], 'webhook-2')
    while (house.sent.length < 1) await sleep(5)
    const batch = report([confirmed, canceled, { ...confirmed, ticket_id: third }], 'webhook-3')
    while (house.sent.length < 4) await sleep(5)
    await assertProblem(await report([confirmed], 'webhook-4'), 503, 'overloaded')
    for (const requestId of idsSent()) house.answer({ requestId, reply: { ok: {} } })
    for (const answer of [await waiting, await batch]) assert.equal(answer.status, 200)
    house.onSend = onSend
    assert.equal((await report([confirmed], 'webhook-4')).status, 200)
  })
})

describe('a refund', () => {
  const path = `/ticket-refund/${first}`

  test('is one command to the ticket', async () => {
    const response = await send('PUT', `/ticket-refund/${first.toUpperCase()}`)
    assert.equal(response.status, 202)
    assert.deepEqual(await response.json(), { ticket_id: first })
    assert.deepEqual(house.sent[0]?.address, { kind: 'ticket', id: first })
    assert.deepEqual(house.sent[0]?.command, { type: 'RefundTicket' })
  })

  test('is refused by name', async () => {
    refuse('unknown-ticket')
    await assertProblem(await send('PUT', path), 404, 'unknown-ticket')
    refuse('ticket-canceled')
    await assertProblem(await send('PUT', path), 409, 'ticket-canceled')
  })

  test('with the same key is the same for that ticket, and another for another', async () => {
    const headers = { 'Idempotency-Key': 'k' }
    for (const id of [first, first.toUpperCase(), second]) await send('PUT', `/ticket-refund/${id}`, { headers })
    const [one, again, other] = house.sent
    assert.equal(one?.messageId, again?.messageId)
    assert.equal(one?.meta.fingerprint, again?.meta.fingerprint)
    assert.notEqual(one?.messageId, other?.messageId)
  })

  test('takes no body, and minds none', async () => {
    const bodies: [string, string][] = [
      ['application/json', ''],
      ['application/json', '{'],
      ['text/plain', 'please'],
      ['application/x-www-form-urlencoded', 'x'.repeat(4 * 1024 * 1024)],
    ]
    for (const [type, body] of bodies) {
      const response = await send('PUT', path, { body, headers: { 'Content-Type': type } })
      assert.equal(response.status, 202, type)
      await response.text()
    }
  })
})

describe('the end of a booking', () => {
  test('is one command to it', async () => {
    const response = await send('POST', `/bookings/${bookingId}/cancel`)
    assert.equal(response.status, 202)
    assert.deepEqual(await response.json(), { booking_id: bookingId })
    assert.deepEqual(house.sent[0]?.address, { kind: 'booking', id: bookingId })
    assert.deepEqual(house.sent[0]?.command, { type: 'CancelBooking' })
  })

  test('that nobody asked for is 404', async () => {
    refuse('unknown-booking')
    await assertProblem(await send('POST', `/bookings/${bookingId}/cancel`), 404, 'unknown-booking')
  })

  test('before its seats were reserved is told to whoever booked', async () => {
    refuse('booking-canceled')
    const body = JSON.stringify({ show_id: second, number_of_tickets: 2, customer_email: 'ada@example.org' })
    const headers = { 'Content-Type': 'application/json' }
    await assertProblem(await send('POST', '/book-tickets', { body, headers }), 409, 'booking-canceled')
  })
})

describe('a ticket', () => {
  const store = (state: unknown) =>
    house.actors.set(`ticket/${first}`, { kind: 'ticket', id: first, partition: 0, version: 1, state })

  test('is shown in each of its states', async () => {
    const receipt = { number: 'R-1', issued_at: '2026-12-01T09:31:00.000Z' }
    const done = { receipt, file_name: `${first}-ticket.html`, rows: ['tickets-to-print'] }
    const nothing = { receipt: null, file_name: null, rows: [] }
    const states = [
      { status: 'confirmed', ...details, ...nothing },
      { status: 'canceled', ...details, booking_id: '', ...nothing },
      { status: 'refunding', ...details, ...done, is_receipt_voided: true },
      { status: 'refunded', ...details, ...done },
    ]
    for (const state of states) {
      store(state)
      const response = await send('GET', `/tickets/${first}`)
      assert.equal(response.status, 200)
      assert.deepEqual(await response.json(), { ticket_id: first, ...state })
    }
  })

  test('that is not there, or was only asked about, is 404', async () => {
    await assertProblem(await send('GET', `/tickets/${second}`), 404, 'unknown-ticket')
    store({ status: 'unknown' })
    await assertProblem(await send('GET', `/tickets/${first}`), 404, 'unknown-ticket')
  })
})

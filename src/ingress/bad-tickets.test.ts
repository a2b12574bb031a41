import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { assertRefused, bad } from './bad-input.fixtures.ts'
import { createHouse, openIngress, type TestHouse } from './house.fixtures.ts'
import type { Ingress } from './server.ts'

/** What is wrong with one ticket is wrong with its batch: the field is named, and nothing is claimed or published. */

let house: TestHouse
let ingress: Ingress
before(async () => {
  house = createHouse()
  ingress = await openIngress(house)
})
after(() => ingress.close())
afterEach(() => {
  assert.deepEqual(house.sent, [], 'bad input was published')
  assert.equal(house.keys.size, 0, 'a key was claimed for bad input')
})

const ticketId = '5c0f1d9e-6f0b-4a57-9a0e-3f1f0a3b7c21'
const price = { amount: '50.30', currency: 'EUR' }
const ticket = { ticket_id: ticketId, status: 'confirmed', price, customer_email: 'ada@example.org', booking_id: '' }

const report = (body: unknown, headers: Record<string, string> = { 'Idempotency-Key': 'k' }) =>
  fetch(`${ingress.url}/tickets-status`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

describe('a field of one ticket among good ones', () => {
  const notObjects = ['', 'text', 0, true, null, []]
  const rows: [field: string, values: unknown[], ticketWith: (value: unknown) => unknown][] = [
    ['ticket_id', [...bad.ids, undefined], (ticket_id) => ({ ...ticket, ticket_id })],
    ['status', [...bad.statuses, undefined], (status) => ({ ...ticket, status })],
    ['price', [...notObjects, undefined], (price) => ({ ...ticket, price })],
    ['price.amount', [...bad.amounts, undefined], (amount) => ({ ...ticket, price: { ...price, amount } })],
    ['price.currency', bad.currencies, (currency) => ({ ...ticket, price: { ...price, currency } })],
    ['customer_email', [...bad.emails, undefined], (customer_email) => ({ ...ticket, customer_email })],
    ['booking_id', bad.ids.filter((id) => id !== ''), (booking_id) => ({ ...ticket, booking_id })],
  ]
  for (const [field, values, ticketWith] of rows) {
    for (const value of values) {
      test(`${field} = ${JSON.stringify(value)?.slice(0, 60)}`, async () => {
        const response = await report({ tickets: [ticket, ticketWith(value), ticket] })
        await assertRefused(response, 400, 'invalid-request', `tickets.1.${field}`)
      })
    }
  }

  for (const value of notObjects) {
    test(`a ticket that is ${JSON.stringify(value)}`, async () => {
      await assertRefused(await report({ tickets: [ticket, value] }), 400, 'invalid-request', 'tickets.1')
    })
  }

  for (const poison of ['__proto__', 'constructor', 'prototype']) {
    test(`fields hidden behind ${poison}`, async () => {
      const hidden = `{"tickets":[{"${poison}":${JSON.stringify(ticket)}}]}`
      await assertRefused(await report(hidden), 400, 'invalid-request')
      assert.equal(({} as { ticket_id?: string }).ticket_id, undefined)
    })
  }

  test('nested without end', async () => {
    const nested = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`
    const body = JSON.stringify({ tickets: [{ ...ticket, price: { ...price, amount: 'NESTED' } }] })
    await assertRefused(
      await report(body.replace('"NESTED"', nested)),
      400,
      'invalid-request',
      'tickets.0.price.amount',
    )
  })
})

describe('a batch', () => {
  const batches: [name: string, tickets: unknown, field: string][] = [
    ['missing', undefined, 'tickets'],
    ['empty', [], 'tickets'],
    ['null', null, 'tickets'],
    ['an object', { 0: ticket, length: 1 }, 'tickets'],
    ['text', JSON.stringify([ticket]), 'tickets'],
    ['one ticket', ticket, 'tickets'],
    ['1,001 tickets', Array(1_001).fill(ticket), 'tickets'],
    ['300,000 times nothing', Array(300_000).fill(0), 'tickets'],
  ]
  for (const [name, tickets, field] of batches) {
    test(`that is ${name}`, async () => {
      await assertRefused(await report({ tickets }), 400, 'invalid-request', field)
    })
  }

  test('that is arrays in arrays', async () => {
    const body = `{"tickets":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    await assertRefused(await report(body), 400, 'invalid-request', 'tickets.0')
  })

  test('that is not in an object', async () => {
    await assertRefused(await report([ticket]), 400, 'invalid-request', 'body')
    await assertRefused(await report('{"tickets":['), 400, 'malformed-json')
  })

  test('with a thousand faults names a hundred', async () => {
    const response = await report({ tickets: Array(1_000).fill({}) })
    const { errors } = (await response.json()) as { errors: { field: string }[] }
    assert.equal(response.status, 400)
    assert.equal(errors.length, 100)
    assert.equal(errors[0]?.field, 'tickets.0.ticket_id')
  })

  test('without a key that can be used', async () => {
    for (const headers of [{}, { 'Idempotency-Key': '' }, { 'Idempotency-Key': 'x'.repeat(256) }]) {
      const response = await report({ tickets: [ticket] }, headers)
      await assertRefused(response, 400, 'invalid-idempotency-key', 'Idempotency-Key')
    }
  })
})

describe('paths', () => {
  for (const [method, before, after, field] of [
    ['GET', '/tickets/', '', 'ticket_id'],
    ['PUT', '/ticket-refund/', '', 'ticket_id'],
    ['POST', '/bookings/', '/cancel', 'booking_id'],
  ] as const) {
    for (const id of [
      'x',
      ticketId.slice(1),
      `${ticketId}%00`,
      '%3Cb%3E',
      '__proto__',
      '%F0%9F%A6%A9',
      "'%20or%201=1--",
    ]) {
      test(`${method} ${before}${id}${after}`, async () => {
        const response = await fetch(`${ingress.url}${before}${id}${after}`, { method })
        await assertRefused(response, 400, 'invalid-request', field)
      })
    }
  }

  for (const [method, path] of [
    ['PUT', `/ticket-refund/${ticketId}`],
    ['POST', `/bookings/${ticketId}/cancel`],
  ] as const) {
    test(`${method} ${path} with a key that cannot be used`, async () => {
      const response = await fetch(`${ingress.url}${path}`, { method, headers: { 'Idempotency-Key': 'é' } })
      await assertRefused(response, 400, 'invalid-idempotency-key', 'Idempotency-Key')
    })
  }

  for (const [method, path, allow] of [
    ['GET', '/tickets-status', 'POST'],
    ['PUT', '/tickets-status', 'POST'],
    ['POST', `/ticket-refund/${ticketId}`, 'PUT'],
    ['GET', `/ticket-refund/${ticketId}`, 'PUT'],
    ['DELETE', `/tickets/${ticketId}`, 'GET, HEAD'],
    ['PUT', `/bookings/${ticketId}/cancel`, 'POST'],
  ] as const) {
    test(`${method} ${path}`, async () => {
      const response = await fetch(`${ingress.url}${path}`, { method })
      assert.equal(response.headers.get('Allow'), allow)
      await assertRefused(response, 405, 'method-not-allowed')
    })
  }
})

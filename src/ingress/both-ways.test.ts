import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import net, { type Socket } from 'node:net'
import { afterEach, beforeEach, test } from 'node:test'
import { until } from '../../test/support/wait.ts'
import { createHouse, openIngress, type TestHouse } from './house.fixtures.ts'
import type { Ingress } from './server.ts'

/** The same request past Node's parser, and through it: behind an empty line, which is not plain and which the parser passes over. */

const id = '019389c2-4c00-7d2e-9a51-6f1b0c7a8e44'
const order = JSON.stringify({ show_id: id, number_of_tickets: 2, customer_email: 'ada@example.org' })
const show = { dead_nation_id: id, start_time: '2027-06-01T20:00:00.000Z', title: 'Flamingó 🦩', venue: 'x' }

let house: TestHouse
let ingress: Ingress
let socket: Socket
let received = ''
let parsed = 0
const count = () => void parsed++

beforeEach(async () => {
  subscribe('http.server.request.start', count)
  house = createHouse()
  const state = { status: 'on-sale', ...show, capacity: 5, reserved: 1 }
  house.actors.set(`show/${id}`, { kind: 'show', id, partition: 0, version: 1, state })
})
afterEach(async () => {
  unsubscribe('http.server.request.start', count)
  socket.destroy()
  await ingress.close()
})

async function open(settings: Record<string, string> = {}): Promise<void> {
  ingress = await openIngress(house, settings)
  socket = net.connect(Number(new URL(ingress.url).port), '127.0.0.1').setNoDelay(true)
  socket.setEncoding('utf8').on('data', (chunk) => (received += chunk))
  await answerTo(get('/health'))
}

/** Everything that comes back, but for the time. */
async function answerTo(bytes: string): Promise<string> {
  received = ''
  socket.write(bytes)
  await until('it is answered', () => isWhole(received) || socket.closed)
  return received.replace(/(\r\nDate: )[^\r]+ GMT\r\n/, '$1now\r\n')
}

function isWhole(answer: string): boolean {
  const end = answer.indexOf('\r\n\r\n')
  const length = Number(/\r\nContent-Length: (\d+)\r\n/.exec(answer)?.[1])
  return end > 0 && Buffer.byteLength(answer.slice(end + 4)) === length
}

const request = (method: string, path: string, headers: string[], body = ''): string =>
  [
    `${method} ${path} HTTP/1.1`,
    'Host: x',
    'Correlation-ID: story-1',
    ...headers,
    ...(body ? [`Content-Length: ${Buffer.byteLength(body)}`] : []),
    '',
    body,
  ].join('\r\n')
const get = (path: string, ...headers: string[]) => request('GET', path, headers)
const post = (path: string, body: string, ...headers: string[]) => request('POST', path, headers, body)
const json = 'Content-Type: application/json'

const rows: [name: string, request: string, status: number, settings?: Record<string, string>][] = [
  ['a booking', post('/book-tickets', order, json, 'Idempotency-Key: k'), 201],
  ['a show, with letters of two and four bytes', get(`/shows/${id}`), 200],
  ['an empty answer', post('/tickets-status', batch(), json, 'Idempotency-Key: k'), 200],
  ['text', get('/health'), 200],
  ['a page', get('/problems/sold-out'), 200],
  ['a fault in the body', post('/book-tickets', '{}', json), 400],
  ['no JSON', post('/book-tickets', '{', json), 400],
  ['an empty body', request('POST', '/book-tickets', [json]), 400],
  ['no body', request('POST', '/book-tickets', []), 400],
  ['another type', post('/book-tickets', order, 'Content-Type: text/plain'), 415],
  ['a body where none is taken', request('PUT', `/ticket-refund/${id}`, ['Idempotency-Key: k'], 'x'), 202],
  ['an empty key', post('/book-tickets', order, json, 'Idempotency-Key:'), 400],
  ['a path that is not there', get('/nowhere?x=1'), 404],
  ['a path that is not encoded as it should be', get('/shows/%zz'), 400],
  ['another method', get('/book-tickets'), 405],
  ['too many requests', get(`/shows/${id}`), 429, { TURNSTILE_RATE_LIMIT: '1/60' }],
  ['more than the server can do', post('/book-tickets', order, json), 503, { TURNSTILE_MAX_LAG: '1' }],
  ['no database', get(`/shows/${id}`), 503],
]

function batch(): string {
  const price = { amount: '50.30', currency: 'EUR' }
  return JSON.stringify({ tickets: [{ ticket_id: id, status: 'confirmed', price, customer_email: 'ada@example.org' }] })
}

for (const [name, bytes, status, settings] of rows) {
  test(`${name}: the same bytes either way`, async () => {
    if (settings?.TURNSTILE_MAX_LAG) house.lag = 2
    if (name === 'no database') house.reads.health = () => Promise.reject(new Error('gone'))
    await open(settings)
    if (status === 429) await answerTo(bytes)
    const past = parsed
    const plain = await answerTo(bytes)
    assert.equal(parsed, past, 'it went past the parser')
    const other = await answerTo(`\r\n${bytes}`)
    assert.equal(parsed, past + 1, 'it went through the parser')
    assert.ok(plain.startsWith(`HTTP/1.1 ${status} `), plain)
    assert.equal(plain, other)
    assert.match(plain, /\r\nCorrelation-ID: story-1\r\n/)
    assert.match(plain, /\r\nKeep-Alive: timeout=72\r\n/)
  })
}

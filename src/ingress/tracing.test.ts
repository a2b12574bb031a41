import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { type Seen, tracerForTests } from '../telemetry/tracer.fixtures.ts'
import { createHouse, openIngress, type TestHouse } from './house.fixtures.ts'
import type { Ingress } from './server.ts'

const given = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const booking = '019389c7-1f3a-7b08-8c66-2d94e5b1a703'

let house: TestHouse
let ingress: Ingress
let seen: () => Seen[]

beforeEach(async () => {
  const { tracer, seen: spans } = tracerForTests()
  seen = spans
  house = Object.assign(createHouse(), { tracer })
  ingress = await openIngress(house)
})
afterEach(() => ingress.close())

const cancel = (headers: Record<string, string> = {}) =>
  fetch(`${ingress.url}/bookings/${booking}/cancel?x=1`, { method: 'POST', headers })

/** A span ends when the answer has left, which the client may hear of first. */
async function spanOf(name: string): Promise<Seen> {
  for (;;) {
    const span = seen().find((span) => span.name === name)
    if (span) return span
    await new Promise(setImmediate)
  }
}

test('a request is a span below who asked, and its command and its line in the log are of that trace', async () => {
  assert.equal((await cancel({ traceparent: given })).status, 202)
  const span = await spanOf('POST /bookings/:booking_id/cancel')
  assert.equal(span.parent, given)
  assert.equal(span.attributes['url.path'], `/bookings/${booking}/cancel`)
  assert.equal(span.attributes['http.response.status_code'], 202)
  assert.equal(house.sent[0]?.meta.traceparent, span.traceparent)
  const line = house.logged.find(({ message }) => message === 'answered')
  assert.equal(line?.fields.traceparent, span.traceparent)
})

test('a request without a context, or with one that is none, begins a trace', async () => {
  for (const headers of [{}, { traceparent: 'nonsense' }]) assert.equal((await cancel(headers)).status, 202)
  await spanOf('POST /bookings/:booking_id/cancel')
  const contexts = house.sent.map(({ meta }) => meta.traceparent?.slice(3, 35))
  assert.equal(new Set(contexts).size, 2)
  for (const { parent } of seen()) assert.equal(parent, undefined)
})

test('whoever looks whether the process lives is not traced', async () => {
  for (const path of ['/health', '/health/ready', '/metrics', '/nowhere']) await fetch(`${ingress.url}${path}`)
  await spanOf('GET')
  assert.deepEqual(
    seen().map(({ attributes }) => attributes['url.path']),
    ['/nowhere'],
  )
})

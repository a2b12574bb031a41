import assert from 'node:assert/strict'
import { Agent, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { createHouse, openIngress, type TestHouse } from './house.fixtures.ts'
import { exampleOf, schemaOf } from './openapi.ts'
import { eventStream, type Route } from './route.ts'
import { routes } from './routes/index.ts'
import type { Ingress } from './server.ts'

let house: TestHouse
let ingress: Ingress
before(async () => {
  house = createHouse()
  ingress = await openIngress(house)
})
after(() => ingress.close())

const value = fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' }), fc.double(), fc.constant(undefined))

/** Where a person breaks things: a good value with something in it replaced, however deep. */
function broken(good: unknown): fc.Arbitrary<unknown> {
  if (Array.isArray(good)) return fc.array(fc.oneof(fc.constant(good[0]), broken(good[0])), { maxLength: 3 })
  if (typeof good !== 'object' || good === null) return value
  const names = fc.oneof(fc.constantFrom(...Object.keys(good), '__proto__', 'constructor', 'type'), fc.string())
  const within = Object.entries(good).map(([name, part]) => broken(part).map((other) => ({ ...good, [name]: other })))
  return fc.oneof(
    fc.dictionary(names, value).map((some) => ({ ...good, ...some })),
    ...within,
  )
}

/** A good body with something broken in it, or anything at all. */
function bodies(good: Record<string, unknown>): fc.Arbitrary<string> {
  const json = broken(good).map((body) => JSON.stringify(body))
  return fc.oneof(json, fc.json(), fc.string({ unit: 'binary' }), fc.constant(JSON.stringify(good)))
}

/** Parameters that a route knows, and others, with anything in them. */
function searches(names: string[]): fc.Arbitrary<string> {
  const text = fc.oneof(fc.string(), fc.nat(2_000).map(String), fc.uuid(), fc.date().map(String))
  const encoded = text.map((some) => encodeURIComponent(some.replaceAll(/\p{Surrogate}/gu, '')))
  const pair = fc.tuple(
    fc.constantFrom(...names, '__proto__', 'x'),
    fc.oneof(encoded, fc.constantFrom('%', '%ff', '&&=')),
  )
  return fc.array(pair, { maxLength: 4 }).map((pairs) => `?${pairs.map((some) => some.join('=')).join('&')}`)
}

const headerText = fc.stringMatching(/^[\x21-\x7e\xa1-\xff]{0,300}$/)
const headers = fc.record(
  { 'Idempotency-Key': headerText, 'Correlation-ID': headerText, traceparent: headerText, 'Content-Type': headerText },
  { requiredKeys: [] },
)

for (const route of routes) {
  test(`${route.method} ${route.path} answers anything without a fault of ours`, async () => {
    const good = route.body ? exampleOf(schemaOf(route.body, 'input')) : {}
    const [path = '', end = ''] = route.path.split(/\{\w+\}/)
    const tail = route.params ? fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.uuid()) : fc.constant('')
    const search = route.query
      ? searches(Object.keys(schemaOf(route.query, 'input').properties ?? {}))
      : fc.constant('')
    const attempt = fc.record({
      tail,
      search,
      body: bodies(good),
      headers,
      method: fc.constantFrom(route.method, route.method, 'PUT', 'DELETE'),
    })
    await fc.assert(
      fc.asyncProperty(attempt, async ({ tail, search, body, headers, method }) => {
        house.sent.length = 0
        const target = `${path}${encodeURIComponent(tail.replaceAll(/\p{Surrogate}/gu, ''))}${end}${search}`
        const response = await send(method, target, headers, body)
        // A stream of events never ends by itself.
        const isStream = response.headers['content-type'] === eventStream
        const answer = isStream ? cutOff(response) : await text(response)
        const { statusCode = 0 } = response
        assert.ok(statusCode < 500, answer)
        assert.ok(response.headers['correlation-id'])
        assert.equal(house.sent.length, accepted(route, statusCode, body))
        if (statusCode >= 400) assert.equal(JSON.parse(answer).status, statusCode)
      }),
      { numRuns: 150 },
    )
  })
}

/** How many commands such an answer stands for. */
function accepted({ path, method }: Route, status: number, body: string): number {
  if (path === '/tickets-status' && status === 200) return JSON.parse(body).tickets.length
  return method !== 'GET' && status < 300 ? 1 : 0
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 })
after(() => agent.destroy())

function send(method: string, path: string, headers: Record<string, string>, body: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const all = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body), ...headers }
    request(`${ingress.url}${path}`, { method, headers: all, agent }, resolve).on('error', reject).end(body)
  })
}

function cutOff(response: IncomingMessage): string {
  response.destroy()
  return ''
}

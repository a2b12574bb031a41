import assert from 'node:assert/strict'
import net from 'node:net'
import { after, afterEach, before, describe, test } from 'node:test'
import { assertRefused, bad, type Problem } from './bad-input.fixtures.ts'
import { createHouse, openIngress, type TestHouse } from './house.fixtures.ts'
import type { Ingress } from './server.ts'

/** Whatever comes in: an answer that says what is wrong, and nothing published. */

let house: TestHouse
let ingress: Ingress
before(async () => {
  house = createHouse()
  ingress = await openIngress(house)
})
after(() => ingress.close())
afterEach(() => assert.deepEqual(house.sent, [], 'bad input was published'))

const showId = '019389c2-4c00-7d2e-9a51-6f1b0c7a8e44'
const show = {
  dead_nation_id: '3f8a9c54-90a4-4e0d-8a3f-5a7f6b1c2d3e',
  number_of_tickets: 500,
  start_time: '2027-06-01T20:00:00Z',
  title: 'The Cranes',
  venue: 'Old Mill',
}
const order = { show_id: showId, number_of_tickets: 2, customer_email: 'ada@example.org' }

const bundle = {
  customer_email: 'ada@example.org',
  inbound_flight_id: showId,
  return_flight_id: showId,
  number_of_tickets: 2,
  passengers: ['Ada', 'Bert'],
  show_id: showId,
}

const post = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  fetch(`${ingress.url}${path}`, { method: 'POST', body, headers: { 'Content-Type': 'application/json', ...headers } })

describe('fields', () => {
  const rows: [string, object, string, unknown[]][] = [
    ['/shows', show, 'dead_nation_id', bad.ids],
    ['/shows', show, 'number_of_tickets', [...bad.counts, 10_000_001]],
    ['/shows', show, 'start_time', bad.times],
    ['/shows', show, 'title', bad.texts],
    ['/shows', show, 'venue', bad.texts],
    ['/book-tickets', order, 'show_id', bad.ids],
    ['/book-tickets', order, 'number_of_tickets', [...bad.counts, 1_001]],
    ['/book-tickets', order, 'customer_email', bad.emails],
    ['/book-vip-bundle', bundle, 'customer_email', bad.emails],
    ['/book-vip-bundle', bundle, 'inbound_flight_id', bad.ids],
    ['/book-vip-bundle', bundle, 'return_flight_id', bad.ids],
    ['/book-vip-bundle', bundle, 'number_of_tickets', [...bad.counts, 1_001]],
    ['/book-vip-bundle', bundle, 'passengers', ['', 'Ada', 2, null, {}, [], ['Ada'], ['Ada', 'Bert', 'Cleo']]],
    ['/book-vip-bundle', bundle, 'show_id', bad.ids],
  ]
  for (const [path, good, field, values] of rows) {
    for (const value of [...values, undefined]) {
      test(`${path} with ${field} = ${JSON.stringify(value)?.slice(0, 60)}`, async () => {
        await assertRefused(
          await post(path, JSON.stringify({ ...good, [field]: value })),
          400,
          'invalid-request',
          field,
        )
      })
    }
  }

  for (const name of bad.texts) {
    test(`/book-vip-bundle with a passenger ${JSON.stringify(name).slice(0, 60)}`, async () => {
      const response = await post('/book-vip-bundle', JSON.stringify({ ...bundle, passengers: ['Ada', name] }))
      await assertRefused(response, 400, 'invalid-request', 'passengers.1')
    })
  }

  test('every field at fault is named', async () => {
    const response = await post('/book-tickets', '{}')
    const { errors = [] } = (await response.json()) as Problem
    assert.deepEqual(
      errors.map(({ field }) => field),
      Object.keys(order),
    )
  })
})

describe('bodies', () => {
  const deep = (open: string, close: string) => open.repeat(100_000) + close.repeat(100_000)
  const notObjects = ['null', '1', '"text"', 'true', '[]', `[${JSON.stringify(order)}]`, deep('[', ']')]
  const notJson = [
    '',
    ' ',
    '{',
    '}',
    '{"a":',
    "{'a':1}",
    '{"a":1,}',
    'NaN',
    '{"n":01}',
    '{"n":+1}',
    '<html>',
    'a=1&b=2',
    '{"a":"\u0001"}',
    '\0',
    '{} {}',
    '[[[[',
  ]
  for (const body of notObjects) {
    test(`not an object: ${body.slice(0, 40)}`, async () => {
      await assertRefused(await post('/book-tickets', body), 400, 'invalid-request', 'body')
    })
  }
  for (const body of notJson) {
    test(`not JSON: ${JSON.stringify(body)}`, async () => {
      await assertRefused(await post('/book-tickets', body), 400, 'malformed-json')
    })
  }

  test('nested in a field', async () => {
    const nested = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`
    const body = JSON.stringify({ ...order, number_of_tickets: 'NESTED' }).replace('"NESTED"', nested)
    await assertRefused(await post('/book-tickets', body), 400, 'invalid-request', 'number_of_tickets')
  })

  test('bytes that are not UTF-8', async () => {
    const body = Buffer.from(JSON.stringify({ ...show, title: 'caf_' }).replace('_', '\xe9'), 'latin1')
    await assertRefused(await post('/shows', body), 400, 'malformed-json')
    await assertRefused(await post('/shows', Buffer.from(JSON.stringify(show), 'utf16le')), 400, 'malformed-json')
  })

  for (const count of ['1e400', '-0', '0.9999999999999999', '9007199254740993', '1001.0', '0e0']) {
    test(`a count of ${count}`, async () => {
      const body = JSON.stringify({ ...order, number_of_tickets: 'COUNT' }).replace('"COUNT"', count)
      await assertRefused(await post('/book-tickets', body), 400, 'invalid-request', 'number_of_tickets')
    })
  }

  test('a key that is there twice counts as its last', async () => {
    const body = JSON.stringify({ ...order, number_of_tickets: 0 }).replace('{', '{"number_of_tickets":2,')
    await assertRefused(await post('/book-tickets', body), 400, 'invalid-request', 'number_of_tickets')
  })

  const poisons = ['{"__proto__":', '{"constructor":{"prototype":', '{"a":{"__proto__":']
  for (const poison of poisons) {
    test(`fields hidden behind ${poison}`, async () => {
      const close = '}'.repeat([...poison.matchAll(/\{/g)].length)
      await assertRefused(
        await post('/book-tickets', `${poison}${JSON.stringify(order)}${close}`),
        400,
        'invalid-request',
      )
      assert.equal(({} as { show_id?: string }).show_id, undefined)
    })
  }

  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'json',
    '*/*',
    'application/json; charset=utf-16',
    'application/jsonp',
  ]) {
    test(`sent as ${type}`, async () => {
      await assertRefused(
        await post('/book-tickets', JSON.stringify(order), { 'Content-Type': type }),
        415,
        'unsupported-media-type',
      )
    })
  }

  test('compressed', async () => {
    const response = await post('/book-tickets', JSON.stringify(order), { 'Content-Encoding': 'gzip' })
    await assertRefused(response, 415, 'unsupported-media-type')
  })

  test('too large', async () => {
    for (const bytes of [1024 * 1024 + 1, 8 * 1024 * 1024]) {
      await assertRefused(await post('/shows', ' '.repeat(bytes)), 413, 'body-too-large')
    }
  })

  test('large, but not too large', async () => {
    const body = JSON.stringify({ ...order, number_of_tickets: 0 }).padEnd(1024 * 1024)
    await assertRefused(await post('/book-tickets', body), 400, 'invalid-request', 'number_of_tickets')
  })
})

describe('headers and paths', () => {
  for (const key of ['', 'é', 'a\tb', 'x'.repeat(256)]) {
    test(`Idempotency-Key ${JSON.stringify(key.slice(0, 10))}`, async () => {
      const response = await post('/book-tickets', JSON.stringify(order), { 'Idempotency-Key': key })
      await assertRefused(response, 400, 'invalid-idempotency-key', 'Idempotency-Key')
    })
  }

  for (const id of [
    'x',
    '1',
    showId.slice(1),
    `${showId}%00`,
    `${showId}%0a`,
    '%3Cscript%3E',
    'x'.repeat(5_000),
    '__proto__',
    'constructor',
    '%F0%9F%A6%A9',
  ]) {
    test(`the id ${id.slice(0, 45)}`, async () => {
      await assertRefused(await fetch(`${ingress.url}/shows/${id}`), 400, 'invalid-request', 'show_id')
      await assertRefused(await fetch(`${ingress.url}/bookings/${id}`), 400, 'invalid-request', 'booking_id')
      const bundles = `${ingress.url}/vip-bundles/${id}`
      await assertRefused(await fetch(bundles), 400, 'invalid-request', 'vip_bundle_id')
      await assertRefused(await fetch(`${bundles}/cancel`, { method: 'POST' }), 400, 'invalid-request', 'vip_bundle_id')
    })
  }

  for (const path of ['/shows/%', '/shows/%zz', '/shows/%c0%af', '/%ff']) {
    test(`the path ${path}`, async () => assertRefused(await fetch(`${ingress.url}${path}`), 400, 'malformed-http'))
  }

  for (const path of [
    '/',
    '/show',
    '/shows/',
    `/shows/${showId}/seats`,
    '/Shows',
    '//shows',
    '/problems',
    '/.env',
    '/x'.repeat(2_000),
  ]) {
    test(`the unknown path ${path.slice(0, 40)}`, async () => {
      const code = path === '/shows/' ? 'invalid-request' : 'unknown-route'
      await assertRefused(await fetch(`${ingress.url}${path}`), code === 'unknown-route' ? 404 : 400, code)
    })
  }

  for (const code of ['nothing', '__proto__', 'constructor', '%3Cscript%3E']) {
    test(`the unknown problem ${code}`, async () => {
      await assertRefused(await fetch(`${ingress.url}/problems/${code}`), 404, 'unknown-problem')
    })
  }

  for (const [method, path, allow] of [
    ['GET', '/book-tickets', 'POST'],
    ['PUT', '/shows', 'POST, GET, HEAD'],
    ['PATCH', '/book-tickets', 'POST'],
    ['GET', '/book-vip-bundle', 'POST'],
    ['GET', `/vip-bundles/${showId}/cancel`, 'POST'],
    ['DELETE', `/vip-bundles/${showId}`, 'GET, HEAD'],
    ['OPTIONS', '/book-tickets', 'POST'],
    ['DELETE', `/shows/${showId}`, 'GET, HEAD'],
    ['POST', '/health', 'GET, HEAD'],
  ] as const) {
    test(`${method} ${path}`, async () => {
      const response = await fetch(`${ingress.url}${path}`, { method })
      assert.equal(response.headers.get('Allow'), allow)
      await assertRefused(response, 405, 'method-not-allowed')
    })
  }
})

describe('raw HTTP', () => {
  const head = (path: string, ...headers: string[]) =>
    [`POST ${path} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n')
  const json = 'Content-Type: application/json'
  const body = JSON.stringify(order)
  const length = `Content-Length: ${body.length}`
  const rows: [string, string, RegExp, string][] = [
    ['nonsense', 'hello\r\n\r\n', /^HTTP\/1.1 400 /, 'malformed-http'],
    ['no host', 'GET /health HTTP/1.1\r\nConnection: close\r\n\r\n', /^HTTP\/1.1 400 /, 'malformed-http'],
    ['a header with a NUL', head('/book-tickets', 'X-A: a\0b'), /^HTTP\/1.1 400 /, 'malformed-http'],
    [
      'a length that is no number',
      head('/book-tickets', json, 'Content-Length: two'),
      /^HTTP\/1.1 400 /,
      'malformed-http',
    ],
    ['a negative length', head('/book-tickets', json, 'Content-Length: -1'), /^HTTP\/1.1 400 /, 'malformed-http'],
    [
      'two lengths',
      `${head('/book-tickets', json, length, 'Content-Length: 1')}${body}`,
      /^HTTP\/1.1 400 /,
      'malformed-http',
    ],
    [
      'a length and chunks',
      `${head('/book-tickets', json, length, 'Transfer-Encoding: chunked')}${body}`,
      /^HTTP\/1.1 400 /,
      'malformed-http',
    ],
    [
      'a broken chunk',
      `${head('/book-tickets', json, 'Transfer-Encoding: chunked')}zz\r\n{}`,
      /^HTTP\/1.1 400 /,
      'malformed-http',
    ],
    ['a huge length', head('/book-tickets', json, 'Content-Length: 99999999999'), /^HTTP\/1.1 413 /, 'body-too-large'],
    ['huge headers', head('/book-tickets', `X-A: ${'a'.repeat(20_000)}`), /^HTTP\/1.1 431 /, 'headers-too-large'],
    [
      'a key twice',
      `${head('/book-tickets', json, length, 'Idempotency-Key: a', 'Idempotency-Key: b', 'Connection: close')}${body}`,
      /^HTTP\/1.1 400 /,
      'invalid-idempotency-key',
    ],
    [
      'an expectation that nobody knows',
      `${head('/book-tickets', json, 'Content-Length: 2', 'Expect: more', 'Connection: close')}{}`,
      /^HTTP\/1.1 400 /,
      'invalid-request',
    ],
    ...['PROPFIND', 'TRACE', 'M-SEARCH', 'QUERY'].map((method): [string, string, RegExp, string] => [
      `the method ${method}`,
      `${method} /book-tickets HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      /^HTTP\/1.1 405 [\s\S]*\r\nallow: POST\r\n/i,
      'method-not-allowed',
    ]),
    ['another method', 'BREW /book-tickets HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1.1 400 /, 'malformed-http'],
  ]
  for (const [name, request, status, code] of rows) {
    test(name, async () => {
      const answer = await exchange(request)
      assert.match(answer, status)
      assert.ok(answer.includes(`/problems/${code}`), answer)
      assert.match(answer, /\r\ncorrelation-id: \S+\r\n/i)
      assert.ok(answer.includes('"error":"'), answer)
    })
  }

  test('a body that never ends leaves nothing behind', async () => {
    const socket = net.connect(Number(new URL(ingress.url).port))
    socket.write(`${head('/book-tickets', json, 'Content-Length: 1000')}${body}`, () => socket.destroy())
    await new Promise((resolve) => socket.once('close', resolve))
    assert.equal((await fetch(`${ingress.url}/health`)).status, 200)
  })
})

/** Everything that the server says until it hangs up. */
function exchange(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(new URL(ingress.url).port))
    let answer = ''
    socket.setEncoding('utf8').on('data', (chunk) => {
      answer += chunk
    })
    socket.on('close', () => resolve(answer)).on('error', reject)
    socket.write(request)
  })
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRouter } from './router.ts'
import { routes } from './routes/index.ts'

const find = createRouter(routes)
const id = '019389c2-4c00-7d2e-9a51-6f1b0c7a8e44'

/** The route and its parameters, or the problem. */
function found(method: string, target: string): unknown {
  const result = find(method, target)
  if ('problem' in result) return [result.pattern, result.problem.code]
  return [result.pattern, `${result.route.method} ${result.route.path}`, result.params]
}

test('a route is found by its path and method, whatever query or host stands around the path', () => {
  for (const target of [
    '/shows',
    '/shows?limit=1',
    '/shows#x',
    'http://x.org/shows',
    'HTTPS://x.org:1/shows?x',
    '/%73hows',
  ]) {
    assert.deepEqual(found('GET', target), ['/shows', 'GET /shows', {}])
    assert.deepEqual(found('POST', target), ['/shows', 'POST /shows', {}])
  }
  assert.deepEqual(found('HEAD', '/shows'), ['/shows', 'GET /shows', {}])
  assert.deepEqual(found('GET', '/health/ready'), ['/health/ready', 'GET /health/ready', {}])
})

test('what stands in the place of a name is decoded', () => {
  const pattern = '/bookings/:booking_id/cancel'
  for (const [given, booking_id] of [
    [id, id],
    ['', ''],
    ['a%20b', 'a b'],
    ['a%2Fb', 'a/b'],
    ['%F0%9F%A6%A9', '🦩'],
    ['{booking_id}', '{booking_id}'],
    [':booking_id', ':booking_id'],
    ['__proto__', '__proto__'],
  ]) {
    const route = 'POST /bookings/{booking_id}/cancel'
    assert.deepEqual(found('POST', `/bookings/${given}/cancel?x=/`), [pattern, route, { booking_id }])
  }
})

test('what is not there says what is', () => {
  assert.deepEqual(found('DELETE', '/shows'), ['/shows', 'method-not-allowed'])
  assert.deepEqual(found('GET', '/bookings/x/cancel'), ['/bookings/:booking_id/cancel', 'method-not-allowed'])
  for (const path of ['', '/', '*', '/Shows', '//shows', '/shows/1/2', '/problems', 'shows'])
    assert.deepEqual(found('GET', path), [undefined, 'unknown-route'], path)
  for (const path of ['/%', '/shows/%zz', '/%ff', '/shows/%c0%af'])
    assert.deepEqual(found('GET', path), [undefined, 'malformed-http'], path)
})

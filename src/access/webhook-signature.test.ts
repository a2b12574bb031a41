import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSigned, parseWebhookSecrets, readSignedHeaders, sign } from './webhook-signature.ts'

/** The example of the specification's own libraries. */
const example = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  body: Buffer.from('{"test": 2432232314}'),
  atMs: 1_614_265_330_000,
  headers: {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  },
}
const secrets = parseWebhookSecrets(example.secret) as Buffer[]
const [other] = parseWebhookSecrets(`whsec_${Buffer.alloc(32, 7).toString('base64')}`) as [Buffer]

function isGood(headers: Record<string, string>, body = example.body, known = secrets, atMs = example.atMs): boolean {
  const signed = readSignedHeaders({ ...example.headers, ...headers }, atMs)
  return !('denied' in signed) && isSigned(signed, body, known)
}

test('the example of the specification is good', () => {
  assert.ok(isGood({}))
})

test('whatever is changed, it is not good any more', () => {
  assert.ok(!isGood({ 'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJeK' }))
  assert.ok(!isGood({ 'webhook-timestamp': '1614265331' }))
  assert.ok(!isGood({}, Buffer.from('{"test": 2432232315}')))
  assert.ok(!isGood({}, example.body, [other]))
  assert.ok(!isGood({}, example.body, []))
  const { 'webhook-signature': signature } = example.headers
  for (const bad of [
    '',
    'v1,',
    'v1',
    signature.slice(3),
    signature.replace('v1', 'v2'),
    signature.slice(0, -5),
    `${signature}AAAA`.replace('=', ''),
  ])
    assert.ok(!isGood({ 'webhook-signature': bad }), bad)
})

test('either side can go over to a new secret first', () => {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': old } = example.headers
  const fresh = `v1,${sign(other, id, timestamp, example.body).toString('base64')}`
  assert.ok(isGood({}, example.body, [other, ...secrets]))
  assert.ok(isGood({ 'webhook-signature': `${fresh} ${old}` }))
  assert.ok(isGood({ 'webhook-signature': `v1a,x ${old} ${fresh}` }, example.body, [other]))
})

test('five minutes are tolerated, not more', () => {
  const minutes = 60_000
  for (const [offMs, good] of [
    [5 * minutes, true],
    [-5 * minutes, true],
    [5 * minutes + 1, false],
    [-5 * minutes - 1, false],
  ] as const)
    assert.equal(isGood({}, example.body, secrets, example.atMs + offMs), good, String(offMs))
})

test('headers that are missing or make no sense are refused with a reason', () => {
  for (const name of Object.keys(example.headers)) {
    const { [name]: _, ...rest } = example.headers as Record<string, string>
    assert.match(JSON.stringify(readSignedHeaders(rest, example.atMs)), /are required/)
  }
  for (const timestamp of ['', 'now', '-1', '1e9', '9'.repeat(20), '1614265330.5']) {
    const headers = { ...example.headers, 'webhook-timestamp': timestamp }
    assert.match(JSON.stringify(readSignedHeaders(headers, example.atMs)), /must be seconds/)
  }
})

test('secrets are told from what is none', () => {
  const short = `whsec_${Buffer.alloc(23).toString('base64')}`
  const parsed = parseWebhookSecrets(` ${example.secret},\n${short} MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw whsec_!!!!,`)
  assert.deepEqual(
    parsed.map((secret) => secret !== undefined),
    [true, false, false, false],
  )
})

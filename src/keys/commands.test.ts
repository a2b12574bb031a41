import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { ApiKeys, parseKeys } from '../access/api-keys.ts'
import { create, list, revoke } from './commands.ts'
import type { Desk } from './desk.ts'

const nowMs = Date.parse('2026-12-01T00:00:00Z')
const dayMs = 86_400_000

let file: string
let out: string
const desk: Desk = {
  read: () => file,
  write(text) {
    file = text
  },
  print(text) {
    out += text
  },
  say() {},
  nowMs,
}
beforeEach(() => {
  file = ''
  out = ''
})

/** What was printed since it was asked for last. */
function printed(): string {
  const text = out.trimEnd()
  out = ''
  return text
}

function rolesAfter(key: string, days: number): unknown {
  const found = new ApiKeys(parseKeys(file)).find(key, nowMs + days * dayMs)
  return 'denied' in found ? found.denied : found.roles
}

test('a key that is made is good until it expires', () => {
  create('shop', { role: ['customer', 'box-office'], expires: '90d' }, desk)
  const key = printed()
  assert.match(key, /^tsk_shop_[\w-]{43}$/)
  assert.ok(!file.includes(key))
  assert.deepEqual(rolesAfter(key, 89), ['customer', 'box-office'])
  assert.equal(rolesAfter(key, 90), 'the API key has expired')
})

test('an overlap ends the older keys of the name, and no others', () => {
  for (const name of ['shop', 'till']) create(name, { role: ['customer'] }, desk)
  const [shop = '', till = ''] = printed().split('\n')
  create('shop', { role: ['customer'], overlap: '7d' }, desk)
  const fresh = printed()
  assert.deepEqual(rolesAfter(shop, 6), ['customer'])
  assert.equal(rolesAfter(shop, 7), 'the API key has expired')
  for (const key of [till, fresh]) assert.deepEqual(rolesAfter(key, 700), ['customer'])
  // What ends sooner anyway does not live longer for it.
  create('shop', { role: ['customer'], overlap: '60d' }, desk)
  assert.equal(rolesAfter(shop, 7), 'the API key has expired')
})

test('a name that is revoked has no key any more', () => {
  create('shop', { role: ['customer'] }, desk)
  const key = printed()
  create('shop', { role: ['customer'] }, desk)
  create('till', { role: ['customer'] }, desk)
  revoke('shop', desk)
  assert.equal(rolesAfter(key, 0), 'the API key is not known')
  assert.deepEqual(
    parseKeys(file).map(({ name }) => name),
    ['till'],
  )
  assert.throws(() => revoke('shop', desk), { code: 'config-invalid', message: 'there is no key of the name shop' })
})

test('the list tells who has keys, and no key', () => {
  create('shop', { role: ['customer'], expires: '0s' }, desk)
  create('ops', { role: ['operator'] }, desk)
  printed()
  list(desk)
  assert.match(
    printed(),
    /^shop {2}customer {2}expired until 2026-12-01T00:00:00.000Z {2}sha256 \w{12}\nops {2}operator {2}good until revoked {2}sha256 \w{12}$/,
  )
})

test('nothing is written for what makes no sense', () => {
  const wrong: [string, string[], object, RegExp][] = [
    ['shop', [], {}, /a key needs --role/],
    ['shop', ['customer', 'boss'], {}, /a key needs --role/],
    ['The Shop', ['customer'], {}, /lower-case letters/],
    ['a_b', ['customer'], {}, /lower-case letters/],
    ['shop', ['customer'], { expires: 'soon' }, /--expires must be a time/],
    ['shop', ['customer'], { overlap: '1w' }, /--overlap must be a time/],
  ]
  for (const [name, role, more, message] of wrong)
    assert.throws(() => create(name, { role, ...more }, desk), { code: 'config-invalid', message })
  assert.equal(file, '')
  file = 'nonsense'
  assert.throws(() => create('shop', { role: ['customer'] }, desk), { code: 'config-invalid', message: /line 1/ })
  assert.equal(file, 'nonsense')
})

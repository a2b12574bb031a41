import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ApiKey, ApiKeys, makeKey, parseKeys, printKeys } from './api-keys.ts'

const now = Date.parse('2026-12-01T00:00:00Z')

function made(name: string, more: Partial<ApiKey> = {}): { key: string; line: ApiKey } {
  const { key, sha256 } = makeKey(name)
  return { key, line: { name, roles: ['box-office'], sha256, ...more } }
}

test('a key leads to its caller, and nothing like it does', () => {
  const { key, line } = made('boxoffice-1')
  const keys = new ApiKeys(parseKeys(printKeys([line, made('other').line])))
  assert.deepEqual(keys.find(key, now), { subject: 'key:boxoffice-1', roles: ['box-office'] })
  const wrong = ['', 'tsk_', 'tsk_boxoffice-1', 'tsk_boxoffice-1_', `${key}x`, key.slice(0, -1), key.toUpperCase()]
  for (const text of [...wrong, key.replace('boxoffice-1', 'other'), key.replace('boxoffice-1', 'nobody')])
    assert.deepEqual(keys.find(text, now), { denied: 'the API key is not known' }, text)
})

test('the line of a key does not hold it', () => {
  const { key, line } = made('a')
  assert.ok(!printKeys([line]).includes(key.slice('tsk_a_'.length)))
})

test('an old key and a new one of the same name are good until the old one expires', () => {
  const old = made('shop', { expires_at: '2026-12-01T00:00:01Z' })
  const fresh = made('shop', { roles: ['customer'] })
  const keys = new ApiKeys([old.line, fresh.line])
  assert.deepEqual(keys.find(old.key, now), { subject: 'key:shop', roles: ['box-office'] })
  assert.deepEqual(keys.find(fresh.key, now), { subject: 'key:shop', roles: ['customer'] })
  assert.deepEqual(keys.find(old.key, now + 1_000), { denied: 'the API key has expired' })
  assert.deepEqual(keys.find(fresh.key, now + 1_000), { subject: 'key:shop', roles: ['customer'] })
})

test('every faulty line is named, and shown is none', () => {
  const { line } = made('a')
  const faulty: unknown[] = [
    'tsk_a_secret',
    { ...line, name: 'A b' },
    { ...line, roles: ['admin'] },
    { ...line, roles: [] },
    { ...line, expires_at: 'soon' },
    { ...line, sha256: 'abc' },
    { ...line, key: 'tsk_a_secret' },
  ]
  const text = [line, ...faulty].map((one) => JSON.stringify(one)).join('\n')
  assert.throws(
    () => parseKeys(`${text}\n\nnot json\n`),
    ({ code, message }) => {
      assert.equal(code, 'config-invalid')
      const lines = [...message.matchAll(/^ {2}line (\d+): /gm)].map(([, number]) => Number(number))
      assert.deepEqual(lines, [2, 3, 4, 5, 6, 7, 8, 10])
      assert.doesNotMatch(message, /secret/)
      return true
    },
  )
})

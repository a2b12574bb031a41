import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from '../errors.ts'
import { authorOf, parseDuration, parseLimit } from './options.ts'

test('what is not given is left to the command', () => {
  assert.equal(parseLimit(undefined, 5), 5)
  assert.equal(parseDuration('--grace', undefined), undefined)
  assert.deepEqual(authorOf({ user: 'kate' }, {}), { who: 'kate', reason: undefined })
})

test('times have a unit', () => {
  assert.deepEqual(
    ['30s', '10m', '2h', '3d'].map((text) => parseDuration('--grace', text)),
    [30, 600, 7_200, 259_200],
  )
})

test('what makes no sense is refused by name', () => {
  const refused: [() => unknown, RegExp][] = [
    [() => parseLimit('0', 5), /--limit/],
    [() => parseLimit('many', 5), /"many"/],
    [() => parseDuration('--grace', '10 minutes'), /--grace .*"10 minutes"/],
    [() => authorOf({ user: 'kate' }, { reason: 'asked by kate@example.com' }), /--reason must not hold an address/],
  ]
  for (const [parse, message] of refused) {
    assert.throws(
      parse,
      (error: Error) => hasCode(error, 'config-invalid') && message.test(error.message),
      `${message}`,
    )
  }
})

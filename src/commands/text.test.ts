import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { age, oneLine, printable, table } from './text.ts'

test('an age is in the largest unit that fits', () => {
  const at = '2030-01-02T00:00:00.000Z'
  const after = (ms: number) => age(at, Date.parse(at) + ms)
  assert.deepEqual([0, 59_999, 60_000, 7_200_000, 259_200_000, -5_000].map(after), [
    '0s',
    '59s',
    '1m',
    '2h',
    '3d',
    '0s',
  ])
})

test('a terminal gets nothing that it would obey', () => {
  assert.equal(printable('\x1b[2J\x9b1m\u202eabc\n\r'), '\\u001b[2J\\u009b1m\\u202eabc\n\\u000d')
  assert.equal(oneLine('  two\n\tlines '), 'two lines')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.doesNotMatch(printable(text), /[^\n\P{Cc}]/u)
    }),
  )
})

test('a table is as wide as its cells, and its last column as wide as there is room', () => {
  const rows = [
    ['AGE', 'CAUSE'],
    ['17s', 'a cause that goes on and on'],
  ]
  assert.equal(table(rows), 'AGE  CAUSE\n17s  a cause that goes on and on\n')
  assert.equal(table(rows, 25), 'AGE  CAUSE\n17s  a cause that goes o…\n')
  assert.equal(table(rows, 10), table(rows, 25))
  assert.equal(table([]), '\n')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { correlationIdOf, traceparentOf } from './headers.ts'

const trace = '4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7'

test('a correlation id is taken when it can be carried on, and made when not', () => {
  for (const good of ['a', 'req-1', '{"a"}', 'x'.repeat(128)]) {
    assert.equal(
      correlationIdOf(good, () => 'made'),
      good,
    )
  }
  for (const bad of [undefined, '', 'two words', 'a, b', 'a\tb', 'é', 'x'.repeat(129)]) {
    assert.equal(
      correlationIdOf(bad, () => 'made'),
      'made',
    )
  }
})

test('a traceparent is taken when W3C says that it is valid', () => {
  for (const good of [`00-${trace}-01`, `01-${trace}-00`, `cc-${trace}-01-what-may-come`]) {
    assert.equal(traceparentOf({ traceparent: good }), good)
  }
  const zeroTrace = `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`
  const zeroSpan = `00-4bf92f3577b34da6a3ce929d0e0e4736-${'0'.repeat(16)}-01`
  const bad = [
    undefined,
    '',
    'x',
    `ff-${trace}-01`,
    `00-${trace}-01-x`,
    `00-${trace.toUpperCase()}-01`,
    zeroTrace,
    zeroSpan,
  ]
  for (const value of bad) assert.equal(traceparentOf({ traceparent: value }), undefined)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { payloadText } from './payload-text.ts'

test('a payload is shown as what it is', () => {
  const shown = (text: string) => payloadText(new TextEncoder().encode(text))
  assert.equal(shown('{"a":[1]}'), '{\n  "a": [\n    1\n  ]\n}')
  assert.equal(shown('{"a":'), '{"a":')
  assert.equal(shown(''), '(empty)')
  assert.equal(payloadText(Uint8Array.of(0, 10, 255)), '000aff')
})

test('a terminal gets nothing that it would obey', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.doesNotMatch(payloadText(new TextEncoder().encode(text)), /[^\n\P{Cc}]/u)
    }),
  )
})

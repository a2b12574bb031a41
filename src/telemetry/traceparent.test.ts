import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatTraceparent, isSampled, isTraceparent, readTraceparent } from './traceparent.ts'

const hex = (length: number) =>
  fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`)).filter((text) => !/^0+$/.test(text))
const contexts = fc.record({ traceId: hex(32), spanId: hex(16), isSampled: fc.boolean() }, { noNullPrototype: true })

test('what is written is valid, and is read', () => {
  fc.assert(
    fc.property(contexts, (context) => {
      const text = formatTraceparent(context)
      assert.equal(isTraceparent(text), true)
      assert.deepEqual(readTraceparent(text), context)
    }),
  )
})

test('later versions are read as far as they are known, and only the lowest flag says that it is followed', () => {
  const ids = `${'a'.repeat(32)}-${'b'.repeat(16)}`
  for (let flags = 0; flags < 256; flags++) {
    const text = `01-${ids}-${flags.toString(16).padStart(2, '0')}-more`
    assert.equal(isTraceparent(text), true)
    assert.equal(isSampled(text), flags % 2 === 1)
  }
  assert.equal(readTraceparent(`01-${ids}-03-more`).spanId, 'b'.repeat(16))
})

test('nonsense is none, whatever it is', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => assert.equal(isTraceparent(text), false)))
  const almost = fc.tuple(contexts, fc.nat(54), fc.constantFrom('', 'g', 'A', ' ', '\n', '--'))
  fc.assert(
    fc.property(almost, ([context, at, put]) => {
      const text = formatTraceparent(context)
      assert.equal(isTraceparent(text.slice(0, at) + put + text.slice(at + 1)), false)
    }),
  )
})

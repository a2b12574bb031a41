import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatTraceparent, isTraceparent, parseTraceparent } from './traceparent.ts'

const hex = (length: number) =>
  fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`)).filter((text) => !/^0+$/.test(text))
const contexts = fc.record({ traceId: hex(32), spanId: hex(16), isSampled: fc.boolean() }, { noNullPrototype: true })

test('what is written is read', () => {
  fc.assert(fc.property(contexts, (context) => assert.deepEqual(parseTraceparent(formatTraceparent(context)), context)))
})

test('later versions are read as far as they are known, and only the lowest flag says that it is followed', () => {
  const ids = `${'a'.repeat(32)}-${'b'.repeat(16)}`
  const isSampled = (text: string) => parseTraceparent(text)?.isSampled
  assert.equal(isSampled(`01-${ids}-03-more`), true)
  assert.equal(isSampled(`00-${ids}-02`), false)
  assert.equal(isSampled(`00-${ids}-ff`), true)
})

test('nonsense counts as none, whatever it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.equal(isTraceparent(text), false)
      assert.equal(parseTraceparent(text), undefined)
    }),
  )
  const almost = fc.tuple(contexts, fc.nat(54), fc.constantFrom('', 'g', 'A', ' ', '\n', '--'))
  fc.assert(
    fc.property(almost, ([context, at, put]) => {
      const text = formatTraceparent(context)
      assert.equal(parseTraceparent(text.slice(0, at) + put + text.slice(at + 1)), undefined)
    }),
  )
  assert.equal(parseTraceparent(undefined), undefined)
})

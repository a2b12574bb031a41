import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { deriveId, isUuid, partitionOf } from './ids.ts'

const timed = '01900000-1234-7abc-8def-0123456789ab'

test('a derived id is a UUID, the same for the same parent and name', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uuid(), fc.string()), fc.oneof(fc.nat(), fc.string()), (parent, name) => {
      const id = deriveId(parent, name)
      assert.ok(isUuid(id))
      assert.match(id[19] ?? '', /[89ab]/)
      assert.equal(deriveId(parent, name), id)
      assert.notEqual(deriveId(parent, `${name}+`), id)
    }),
  )
})

test('a child of a UUIDv7 keeps its time, so that the indexes grow at one end', () => {
  const child = deriveId(timed, 0)
  assert.equal(child.slice(0, 15), '01900000-1234-7')
  assert.equal(deriveId(child, 0).slice(0, 15), '01900000-1234-7')
  assert.equal(deriveId('an order number', 0)[14], '8')
})

test('the partition is FNV-1a 32 of the id: published test values of the hash', () => {
  const everything = 2 ** 32
  assert.equal(partitionOf('', everything), 0x811c9dc5)
  assert.equal(partitionOf('a', everything), 0xe40c292c)
  assert.equal(partitionOf('foobar', everything), 0xbf9cf968)
  assert.equal(partitionOf('foobar', 64), 0xbf9cf968 % 64)
})

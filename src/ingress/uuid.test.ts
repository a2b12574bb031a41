import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createUuidGenerator } from './uuid.ts'

const version7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test('ids are UUIDv7 and carry the time', () => {
  const id = createUuidGenerator(() => 0x0193_89c2_4c00)()
  assert.match(id, version7)
  assert.equal(id.slice(0, 13), '019389c2-4c00')
})

test('ids rise, within a millisecond, past its last number, and when the clock is set back', () => {
  let now = 1_000
  const makeId = createUuidGenerator(() => now)
  const ids: string[] = []
  for (let i = 0; i < 10_000; i++) {
    if (i === 6_000) now -= 500
    ids.push(makeId())
  }
  for (const id of ids) assert.match(id, version7)
  assert.deepEqual(ids, [...new Set(ids)].sort())
})

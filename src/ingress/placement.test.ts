import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deriveId, isUuid, partitionOf } from '../actor/ids.ts'
import { createPlacement } from './placement.ts'
import { createUuidGenerator } from './uuid.ts'

const makeId = createUuidGenerator()
const newIds = (length: number) => Array.from({ length }, () => deriveId(makeId(), 'booking'))

test('an id lies in the partition of what it is near to, and stays a UUID of its own', () => {
  for (const partitions of [1, 7, 16, 64]) {
    const place = createPlacement(partitions)
    const ids = newIds(2_000).map((id) => {
      const near = makeId()
      const placed = place(id, near)
      assert.equal(partitionOf(placed, partitions), partitionOf(near, partitions))
      assert.ok(isUuid(placed))
      assert.equal(placed.slice(0, -3), id.slice(0, -3))
      return placed
    })
    assert.equal(new Set(ids).size, ids.length)
  }
})

test('what is asked for too often in a second is spread until the next one', () => {
  let now = 5_000
  const place = createPlacement(16, () => now)
  const near = makeId()
  for (const id of newIds(200)) assert.equal(partitionOf(place(id, near), 16), partitionOf(near, 16))
  for (const id of newIds(200)) assert.equal(place(id, near), id)
  now += 1_000
  const [id = ''] = newIds(1)
  assert.equal(partitionOf(place(id, near), 16), partitionOf(near, 16))
})

test('only so many are counted; beyond them, ids stay as they are', () => {
  const place = createPlacement(16, () => 0)
  for (let i = 0; i < 10_000; i++) place(makeId(), `show-${i}`)
  for (const id of newIds(100)) assert.equal(place(id, 'another show'), id)
})

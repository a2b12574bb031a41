import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ActorCache, type CachedActor, keyOf } from './cache.ts'
import { OwnedPartition } from './partition.ts'

const newPartition = () =>
  new OwnedPartition({ id: 1, epoch: 1, owner: 'me', cursor: 0, stream: 's', head: 0, published: 0, armed: 0 })
const partition = newPartition()
const actor = (id: string, changes: Partial<CachedActor> = {}): CachedActor => {
  return { kind: 'show', id, key: keyOf({ kind: 'show', id }), partition, version: 1, state: id, pins: 0, ...changes }
}
const has = (cache: ActorCache, id: string): boolean => cache.get(keyOf({ kind: 'show', id })) !== undefined

test('the actor that was used longest ago is forgotten first', () => {
  const cache = new ActorCache(2)
  for (const id of ['a', 'b']) cache.add(actor(id))
  assert.ok(has(cache, 'a'))
  cache.add(actor('c'))
  assert.deepEqual(
    ['a', 'b', 'c'].map((id) => has(cache, id)),
    [true, false, true],
  )
})

test('what a batch relies on stays, even beyond the capacity', () => {
  const cache = new ActorCache(1)
  const pinned = actor('a', { pins: 1 })
  cache.add(pinned)
  cache.add(actor('b', { pins: 1 }))
  assert.equal(cache.size, 2)
  pinned.pins = 0
  cache.add(actor('c'))
  assert.ok(!has(cache, 'a'))
  assert.equal(cache.size, 1)
})

test('an actor goes with its partition, and is not mistaken for one of the partition taken again', () => {
  const cache = new ActorCache(10)
  const lost = newPartition()
  cache.add(actor('a', { partition: lost }))
  cache.add(actor('b'))
  lost.close()
  assert.deepEqual([has(cache, 'a'), has(cache, 'b'), cache.size], [false, true, 1])
})

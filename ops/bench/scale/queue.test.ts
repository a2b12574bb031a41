import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type QueueOptions, simulateQueues } from './queue.ts'

const base: QueueOptions = {
  seed: 1,
  workers: 4,
  partitions: 64,
  shows: 200,
  skew: 0,
  perSecond: 2_000,
  seconds: 2,
  batchMessages: 256,
  commitMs: 0.5,
  commits: 3,
  restMs: 0,
  turnMs: 0.1,
}

test('the same seed is the same run, and another seed another one', () => {
  assert.deepEqual(simulateQueues(base), simulateQueues(base))
  assert.notDeepEqual(simulateQueues(base), simulateQueues({ ...base, seed: 2 }))
})

test('every booking that comes is made', () => {
  for (const workers of [1, 3, 16]) assert.equal(simulateQueues({ ...base, workers }).bookings, 4_000)
})

test('without a rush a booking takes a commit and its three turns, or three commits on two workers', () => {
  const calm = { ...base, perSecond: 1, seconds: 2_000 }
  assert.ok(Math.abs(simulateQueues({ ...calm, workers: 1 }).p50Ms - 0.8) < 0.001)
  assert.ok(Math.abs(simulateQueues({ ...calm, workers: 1_000, partitions: 1_000 }).p50Ms - 1.8) < 0.001)
})

test('who works at most of what they can makes others wait, and more than all of it without end', () => {
  // A turn of 0.1 ms: one worker makes 3,333 bookings a second at most.
  const one = { ...base, workers: 1 }
  const [calm, busy, flooded] = [1_000, 3_000, 6_000].map((perSecond) => simulateQueues({ ...one, perSecond }))
  assert.ok(calm && busy && flooded)
  assert.ok(calm.p99Ms < busy.p99Ms)
  assert.ok(flooded.p99Ms > 500, `${flooded.p99Ms} ms`)
  assert.ok(flooded.busiestUse > 1.5 && busy.busiestUse < 1)
})

test('a show that sells more than others makes its worker the busiest', () => {
  const even = simulateQueues({ ...base, workers: 8, shows: 10_000 })
  const skewed = simulateQueues({ ...base, workers: 8, shows: 10_000, skew: 1.2 })
  assert.ok(Math.abs(skewed.meanUse - even.meanUse) < 0.001)
  assert.ok(skewed.busiestUse > even.busiestUse * 1.1)
})

test('a rest between batches makes people wait for half of it, and never for much more than all of it', () => {
  const [without, rested] = [0, 10].map((restMs) => simulateQueues({ ...base, workers: 1, perSecond: 500, restMs }))
  assert.ok(without && rested)
  assert.equal(rested.bookings, without.bookings)
  const [halfWayMs, lastMs] = [rested.p50Ms - without.p50Ms, rested.p99Ms - without.p99Ms]
  assert.ok(halfWayMs > 4 && halfWayMs < 8, `${halfWayMs} ms`)
  assert.ok(lastMs < 13, `${lastMs} ms`)
})

test('a rest holds nobody up for whom no other comes', () => {
  const calm = { ...base, workers: 1, perSecond: 1, seconds: 2_000 }
  assert.equal(simulateQueues({ ...calm, restMs: 10 }).p50Ms, simulateQueues(calm).p50Ms)
})

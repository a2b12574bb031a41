import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RateLimit } from './rate-limit.ts'

test('a full bucket lets all through at once, then it fills evenly', () => {
  const limit = new RateLimit({ requests: 10, seconds: 5 })
  const burst = Array.from({ length: 10 }, () => limit.take('anna', 1_000))
  assert.deepEqual(burst[0], { isAllowed: true, remaining: 9, resetS: 1 })
  assert.deepEqual(burst[9], { isAllowed: true, remaining: 0, resetS: 5 })
  assert.deepEqual(limit.take('anna', 1_000), { isAllowed: false, remaining: 0, resetS: 1 })
  assert.equal(limit.take('anna', 1_499).isAllowed, false)
  assert.equal(limit.take('anna', 1_500).isAllowed, true)
  assert.equal(limit.take('anna', 1_500).isAllowed, false)
  // However long nothing came, no more than a full bucket.
  assert.deepEqual(limit.take('anna', 3_600_000), { isAllowed: true, remaining: 9, resetS: 1 })
})

test('who is refused pays nothing, and one caller takes nothing from another', () => {
  const limit = new RateLimit({ requests: 1, seconds: 10 })
  assert.equal(limit.take('anna', 0).isAllowed, true)
  for (let at = 0; at < 10_000; at += 100) assert.equal(limit.take('anna', at).isAllowed, false)
  assert.equal(limit.take('anna', 10_000).isAllowed, true)
  assert.equal(limit.take('bert', 0).isAllowed, true)
})

test('however many callers there are, memory is bounded, and who asks often is remembered', () => {
  const limit = new RateLimit({ requests: 2, seconds: 60 }, 100)
  limit.take('often', 0)
  for (let other = 0; other < 10_000; other++) {
    limit.take(`address ${other}`, other)
    if (other % 50 === 0) limit.take('often', other)
  }
  assert.equal(limit.callers, 100)
  assert.equal(limit.take('often', 10_000).isAllowed, false)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Gauge } from './gauge.ts'

const gauge = new Gauge(3)
for (const atMs of [100, 200, 900, 1_000, 1_100]) gauge.note(0, atMs)
for (const atMs of [150, 450, 750, 1_050]) gauge.note(1, atMs)

test('a gap counts whole when it begins before the time or ends after it', () => {
  assert.equal(gauge.longestGap([0], 300, 800), 700)
  assert.equal(gauge.longestGap([0], 0, 200), 700)
  assert.equal(gauge.longestGap([0], 950, 1_050), 100)
  assert.equal(gauge.longestGap([1], 300, 800), 300)
  assert.equal(gauge.longestGap([0, 1], 300, 800), 700)
  assert.equal(gauge.longestGap([], 300, 800), 0)
})

test('all have answered when the last one has', () => {
  assert.equal(gauge.allAnswered([0, 1], 500), 900)
  assert.equal(gauge.allAnswered([1], 1_000), 1_050)
  assert.equal(gauge.allAnswered([0, 1], 1_060), undefined)
  assert.equal(gauge.allAnswered([0, 2], 500), undefined)
  assert.equal(gauge.allAnswered([], 500), 500)
})

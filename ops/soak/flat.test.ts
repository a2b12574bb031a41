import assert from 'node:assert/strict'
import { test } from 'node:test'
import { slopeOf } from './flat.ts'

/** Half an hour, a look every ten seconds; the sawtooth is what garbage collection makes of it. */
const memory = (mbAt: (seconds: number) => number) =>
  Array.from({ length: 180 }, (_, index) => ({ seconds: index * 10, mb: mbAt(index * 10) + (index % 7) * 9 }))

test('memory that rises and falls is flat, and so it is with a spike and after a long rise', () => {
  assert.equal(Math.round(slopeOf(memory(() => 200))), 0)
  assert.equal(Math.round(slopeOf(memory((seconds) => (seconds > 1_500 && seconds < 1_600 ? 400 : 200)))), 0)
  assert.equal(Math.round(slopeOf(memory((seconds) => 200 + Math.min(seconds, 800) / 5))), 0)
})

test('a leak is told by what it loses in an hour', () => {
  const slope = slopeOf(memory((seconds) => 200 + (seconds * 60) / 3_600))
  assert.ok(slope > 50 && slope < 70, String(slope))
})

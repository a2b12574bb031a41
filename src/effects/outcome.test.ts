import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoffMs, maxAttempts } from './backoff.ts'
import { parseRetryAfter } from './outcome.ts'

test('Retry-After is seconds or a date, within reason', () => {
  const now = Date.parse('2026-12-01T00:00:00Z')
  const rows: [string | undefined, number][] = [
    [undefined, 0],
    ['0', 0],
    ['5', 5_000],
    ['Tue, 01 Dec 2026 00:00:30 GMT', 30_000],
    ['Mon, 30 Nov 2026 00:00:00 GMT', 0],
    ['99999999999', 900_000],
    ['-5', 0],
    ['soon', 0],
    ['', 0],
  ]
  for (const [value, ms] of rows) assert.equal(parseRetryAfter(value, now), ms, String(value))
})

test('the pauses grow, never beyond a minute, and chance takes off at most half', () => {
  const longest = Array.from({ length: maxAttempts }, (_, index) => backoffMs(index + 1, 1))
  assert.deepEqual(longest.slice(0, 5), [200, 400, 800, 1_600, 3_200])
  assert.equal(Math.max(...longest), 60_000)
  assert.equal(backoffMs(1, 0), 100)
  const minutes = longest.slice(0, -1).reduce((sum, ms) => sum + ms, 0) / 60_000
  assert.ok(minutes > 10 && minutes < 20, `${minutes} minutes`)
})

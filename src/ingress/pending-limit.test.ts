import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PendingLimit } from './pending-limit.ts'

/** A server that answers so many a second, in their order, and clients that come faster than that where there is room. */
function rush(limit: PendingLimit, perSecond: number, forSeconds: number, fromMs = 0): { waitsMs: number[] } {
  const queue: number[] = []
  const waitsMs: number[] = []
  const everyMs = 10
  let owed = 0
  for (let nowMs = fromMs; nowMs < fromMs + forSeconds * 1_000; nowMs += everyMs) {
    while (queue.length < limit.current) queue.push(nowMs)
    owed += (perSecond * everyMs) / 1_000
    for (; owed >= 1; owed -= 1) {
      const waitedMs = nowMs + everyMs - (queue.shift() ?? 0)
      waitsMs.push(waitedMs)
      limit.note(waitedMs, nowMs + everyMs)
    }
  }
  return { waitsMs }
}

const middle = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
const open = (most = 2_000) => new PendingLimit(most, () => {})

for (const perSecond of [1_000, 4_000, 7_000]) {
  test(`under more than it can do, a machine that does ${perSecond} a second lets people wait for about a quarter of a second`, () => {
    const limit = open(10_000)
    rush(limit, perSecond, 5)
    const { waitsMs } = rush(limit, perSecond, 20, 5_000)
    assert.ok(middle(waitsMs) > 200 && middle(waitsMs) < 450, `${middle(waitsMs)} ms`)
    const most = waitsMs.reduce((a, b) => Math.max(a, b))
    assert.ok(most < 1_200, `${most} ms`)
  })
}

test('a machine that becomes slower lets fewer wait, and one that becomes faster more', () => {
  const limit = open()
  const told: number[] = []
  rush(limit, 3_000, 5)
  const fast = limit.current
  rush(limit, 1_000, 5, 5_000)
  const slow = limit.current
  rush(limit, 3_000, 5, 10_000)
  told.push(fast, slow, limit.current)
  assert.ok(slow < fast / 2 && limit.current > slow * 2, String(told))
})

test('a batch of the engine always finds room', () => {
  const limit = open()
  rush(limit, 100, 20)
  assert.equal(limit.current, 256)
})

test('a burst is let in up to the most, and so it is again when nobody waits any more', () => {
  const limit = open()
  assert.equal(limit.current, 2_000)
  rush(limit, 1_000, 5)
  assert.ok(limit.current < 1_000)
  for (let nowMs = 5_000; nowMs < 11_000; nowMs += 10) limit.note(5, nowMs)
  assert.equal(limit.current, 2_000)
})

test('whoever asks for less gets less, and is told of every change', () => {
  const told: number[] = []
  const limit = new PendingLimit(10, (most) => told.push(most))
  rush(limit, 10, 5)
  assert.equal(limit.current, 10)
  assert.deepEqual(told, [10])
})

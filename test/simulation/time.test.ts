import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Host } from './host.ts'
import { Random } from './random.ts'
import { Time } from './time.ts'

async function runOut(time: Time): Promise<void> {
  while (await time.step()) {}
}

test('events come by their time, and those of one time in the order in which they were planned', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(20), { maxLength: 50 }), async (delays) => {
      const time = new Time()
      const startMs = time.nowMs
      const seen: [number, number][] = []
      for (const [index, delayMs] of delays.entries()) {
        time.plan(delayMs, () => {
          assert.equal(time.nowMs, startMs + delayMs)
          seen.push([delayMs, index])
        })
      }
      await runOut(time)
      assert.deepEqual(
        seen,
        delays
          .map((delayMs, index) => [delayMs, index])
          .sort(([a, i], [b, j]) => (a ?? 0) - (b ?? 0) || (i ?? 0) - (j ?? 0)),
      )
    }),
  )
})

test('sleep ends in time, or at once when it is aborted', async () => {
  const time = new Time()
  const clock = time.clock()
  const woke: string[] = []
  const abort = new AbortController()
  void clock.sleep(50).then(() => woke.push('slept'))
  void clock.sleep(90, abort.signal).then(() => woke.push('aborted'))
  time.plan(10, () => abort.abort('enough'))
  await runOut(time)
  assert.deepEqual(woke, ['aborted', 'slept'])
})

test('a paused process gets all that came in its order, a dead one nothing', async () => {
  const time = new Time()
  const host = new Host('one', time)
  const got: number[] = []
  for (const n of [1, 2, 3, 4, 5]) time.plan(n * 10, () => host.run(() => got.push(n)))
  time.plan(15, () => host.pause())
  time.plan(35, () => host.goOn())
  time.plan(45, () => host.die())
  await runOut(time)
  assert.deepEqual(got, [1, 2, 3, 4])
})

test('the same seed draws the same, its neighbour something else', () => {
  const draw = (seed: number): number[] => {
    const random = new Random(seed)
    return Array.from({ length: 20 }, () => random.between(1, 6))
  }
  assert.deepEqual(draw(5), draw(5))
  assert.notDeepEqual(draw(5), draw(6))
  const random = new Random(1)
  const dice = Array.from({ length: 6_000 }, () => random.between(1, 6))
  for (const side of [1, 2, 3, 4, 5, 6]) {
    const count = dice.filter((value) => value === side).length
    assert.ok(count > 800 && count < 1_200, `${side} came ${count} times`)
  }
})

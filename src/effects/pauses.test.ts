import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../test/support/wait.ts'
import { systemClock } from '../clock.ts'
import type { Pause } from '../engine/ports.ts'
import { MemoryStore } from '../store/memory.ts'
import { silent } from './effects.fixtures.ts'
import { watchPauses } from './pauses.ts'

const payments: Pause = { target: 'service', name: 'payments' }

/** Watches two gates, and shows how each stands. */
function aWatch(readPauses: () => Promise<Pause[]>) {
  const isPaused: Record<string, boolean> = {}
  const warnings: string[] = []
  const counts: number[] = []
  const gateOf = (service: string) => ({
    pause: (paused: boolean) => void Object.assign(isPaused, { [service]: paused }),
  })
  const gates = new Map(['payments', 'files'].map((service) => [service, gateOf(service)]))
  const log = { ...silent, warn: (_: object, message: string) => void warnings.push(message) }
  const observer = { paused: (_: string, count: number) => void counts.push(count) }
  const watch = () => watchPauses({ store: { readPauses }, gates, everyMs: 5, clock: systemClock, log, observer })
  return { isPaused, warnings, counts, watch }
}

test('the gate of a paused service is shut before anything is taken, and opened when that ends', async (t) => {
  const store = new MemoryStore(1, () => 0)
  store.pause(payments)
  store.pause({ target: 'kind', name: 'files' })
  const { isPaused, counts, watch } = aWatch(() => store.readPauses())
  const watcher = await watch()
  t.after(() => watcher.close())
  assert.deepEqual([isPaused, counts], [{ payments: true, files: false }, [1]])
  store.resume(payments)
  await until('it is open', () => isPaused.payments === false)
})

test('while the database is away all stays as it was, and that is said once', async (t) => {
  let looks = 0
  let isAway = false
  const { isPaused, warnings, watch } = aWatch(async () => {
    looks++
    if (isAway) throw new Error('away')
    return [payments]
  })
  const watcher = await watch()
  t.after(() => watcher.close())
  isAway = true
  await until('it has looked some times', () => looks > 4)
  assert.deepEqual([isPaused.payments, warnings.length], [true, 1])
})

test('when nothing can be read at the start, nothing starts', async () => {
  const { watch } = aWatch(async () => {
    throw new Error('away')
  })
  await assert.rejects(watch(), /away/)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { DatabaseHealth } from './health.ts'

test('whoever waits for the first worker looks for it ten times as often', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let [workers, looks] = [0, 0]
  const read = async () => {
    looks += 1
    return { lag: 0, workers }
  }
  const health = new DatabaseHealth({ health: read }, { debug() {}, info() {}, warn() {}, error() {} })
  const pass = async (ms: number) => {
    t.mock.timers.tick(ms)
    await setImmediate()
  }
  await health.watch()
  await pass(50)
  assert.deepEqual([looks, health.workers], [2, 0])
  workers = 1
  await pass(50)
  assert.deepEqual([looks, health.workers], [3, 1])
  await pass(450)
  assert.equal(looks, 3)
  await pass(50)
  assert.equal(looks, 4)
  health.close()
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../clock.ts'
import type { Census } from '../engine/ports.ts'
import { takeCensuses } from './census.ts'

test('censuses are taken until they are closed, and a database that is away ends nothing', async () => {
  const counted: number[] = []
  let asked = 0
  const reads = {
    async census(): Promise<Census> {
      asked += 1
      if (asked === 2) throw new Error('away')
      return { workers: asked, unowned: 0, openLetters: [], failingCalls: [] }
    },
  }
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  await new Promise<void>((resolve) => {
    const censuses = takeCensuses({
      reads,
      count({ workers }) {
        counted.push(workers)
        if (workers === 3) void censuses.close().then(resolve)
      },
      everyMs: 1,
      clock: systemClock,
      log,
    })
  })
  assert.deepEqual(counted, [1, 3])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../clock.ts'
import { lookAgain } from './look.ts'

const log = { debug() {}, info() {}, warn() {}, error() {} }

test('looks are taken until it is closed, and one that fails ends nothing', async () => {
  let looks = 0
  await new Promise<void>((resolve) => {
    const look = async (): Promise<void> => {
      looks += 1
      if (looks === 2) throw new Error('away')
      if (looks === 3) void looking.close().then(resolve)
    }
    const looking = lookAgain({ look, everyMs: 1, clock: systemClock, log })
  })
  assert.equal(looks, 3)
})

import { writeSync } from 'node:fs'
import { watchCrashPoints } from '../../src/crash-points.ts'

const { CRASH_AT = '', CRASH_TIME = '1' } = process.env
const [point, service] = CRASH_AT.split(' ')
let left = Number(CRASH_TIME)

/**
 * Preloaded into a daemon (`node --import`), this kills it with SIGKILL at the point of CRASH_AT, such as `after-commit`,
 * or `after-call receipts` for the calls of one service, when it is reached for the CRASH_TIME-th time.
 */
watchCrashPoints((reached, by) => {
  if (reached !== point || by !== service) return
  left -= 1
  if (left > 0) return
  writeSync(1, `crash point reached: ${CRASH_AT}\n`)
  process.kill(process.pid, 'SIGKILL')
})

import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from './engine/ports.ts'

/** The machine's clock. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}).catch(() => undefined),
}

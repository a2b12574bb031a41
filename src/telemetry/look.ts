import type { Clock, Log } from '../engine/ports.ts'

export type LookOptions = {
  look: () => Promise<void>
  /** How long after one look the next comes. */
  everyMs: number
  clock: Clock
  log: Log
}

/** Looks at something outside of the process again and again. While that is away, what was seen last stays. */
export function lookAgain({ look, everyMs, clock, log }: LookOptions): { close(): Promise<void> } {
  const closing = new AbortController()
  const { signal } = closing
  const looking = (async () => {
    while (!signal.aborted) {
      // That the database or the broker is away, others report.
      await look().catch((error) => log.debug({ err: error }, 'figures cannot be looked up yet'))
      await clock.sleep(everyMs, signal)
    }
  })()
  return {
    async close() {
      closing.abort()
      await looking
    },
  }
}

import type { Clock, Log, Observer, Store } from '../engine/ports.ts'
import type { Gate } from './gate.ts'

export type PausesOptions = {
  store: Pick<Store, 'readPauses'>
  /** The gate of each service. */
  gates: ReadonlyMap<string, Pick<Gate, 'pause'>>
  /** How long after one look the next comes. */
  everyMs: number
  clock: Clock
  log: Log
  observer: Pick<Observer, 'paused'>
}

/**
 * Keeps the gates of paused services shut. Resolves after the first look, so that nothing is taken before it is known to
 * be allowed. While the database is away all stays as it was.
 *
 * @throws `database-unavailable` when the first look fails
 */
export async function watchPauses(options: PausesOptions): Promise<{ close(): Promise<void> }> {
  await look(options)
  const closing = new AbortController()
  const watching = lookAgain(options, closing.signal)
  return {
    async close() {
      closing.abort()
      await watching
    },
  }
}

async function lookAgain(options: PausesOptions, signal: AbortSignal): Promise<void> {
  let isKnown = true
  while (!signal.aborted) {
    await options.clock.sleep(options.everyMs, signal)
    if (signal.aborted) return
    try {
      await look(options)
      isKnown = true
    } catch (error) {
      if (isKnown) options.log.warn({ err: error }, 'whether services are paused cannot be read; all stays as it was')
      isKnown = false
    }
  }
}

async function look({ store, gates, observer }: PausesOptions): Promise<void> {
  const paused = new Set<string>()
  for (const { target, name } of await store.readPauses()) if (target === 'service') paused.add(name)
  for (const [service, gate] of gates) gate.pause(paused.has(service))
  observer.paused('service', paused.size)
}

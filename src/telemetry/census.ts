import { Gauge, type Registry } from 'prom-client'
import type { Census, Clock, Log, Reads } from '../engine/ports.ts'

/** What was counted over the whole record: the same in every process that has asked at that time. */
export function createCensusGauges(registers: Registry[]): (census: Census) => void {
  const workers = new Gauge({
    name: 'turnstile_workers',
    help: 'Workers whose lease has not expired, in all processes',
    registers,
  })
  const unowned = new Gauge({
    name: 'turnstile_partitions_unowned',
    help: 'Partitions without a live owner: nobody reads their mailboxes',
    registers,
  })
  const openLetters = new Gauge({
    name: 'turnstile_dead_letters_open',
    help: 'Dead letters that wait for a person, and messages that wait for a pause to end (code actor-paused)',
    labelNames: ['code'] as const,
    registers,
  })
  const failingCalls = new Gauge({
    name: 'turnstile_failing_calls',
    help: 'Calls of an external service that have failed and are tried again',
    labelNames: ['service'] as const,
    registers,
  })
  return (census) => {
    workers.set(census.workers)
    unowned.set(census.unowned)
    openLetters.reset()
    for (const { code, count } of census.openLetters) openLetters.set({ code }, count)
    failingCalls.reset()
    for (const { service, count } of census.failingCalls) failingCalls.set({ service }, count)
  }
}

export type CensusOptions = {
  reads: Pick<Reads, 'census'>
  count: (census: Census) => void
  /** How long after one count the next comes. */
  everyMs: number
  clock: Clock
  log: Log
}

/** Counts again and again. While the database is away the last count stays. */
export function takeCensuses({ reads, count, everyMs, clock, log }: CensusOptions): { close(): Promise<void> } {
  const closing = new AbortController()
  const { signal } = closing
  const taking = (async () => {
    while (!signal.aborted) {
      try {
        count(await reads.census())
      } catch (error) {
        // The ingress reports that the database is away.
        log.debug({ err: error }, 'what waits cannot be counted yet')
      }
      await clock.sleep(everyMs, signal)
    }
  })()
  return {
    async close() {
      closing.abort()
      await taking
    },
  }
}

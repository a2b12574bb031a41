import { Gauge, type Registry } from 'prom-client'
import type { Census } from '../engine/ports.ts'

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

import type { Figures, Run } from './figures.ts'

/** A run that is nothing special but for what is given. */
export function aRun(given: Partial<Run>): Run {
  return {
    workload: 'uniform',
    subject: 'turnstile',
    condition: '64 connections',
    unit: 'bookings',
    perSecond: 1_000,
    latency: { p50Ms: 5, p99Ms: 20, p999Ms: 40, maxMs: 60 },
    cpuMicroseconds: { daemon: 150, postgres: 60, nats: 40, client: 30 },
    walBytes: 2_000,
    storedMessages: 3,
    storedBytes: 1_500,
    memoryMb: { daemon: 200, postgres: 300, nats: 80 },
    others: {},
    more: {},
    ...given,
  }
}

export const someFigures = (...runs: Run[]): Figures => ({
  machine: '2 × a processor',
  measuredAt: '2027-01-01T20:00:00.000Z',
  isQuick: false,
  runs,
})

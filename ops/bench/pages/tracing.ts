import { type Figures, medianOf, perSecond, type Run, runsOf } from '../figures.ts'
import { figure, markdownTable } from './blocks.ts'

/** What docs/tracing.md says of a run, if that has measured it. */
export function tracingBlocks(figures: Figures): Map<string, string> {
  const conditions = ['off', '10 %'].filter(
    (condition) => runsOf(figures, { workload: 'tracing', condition }).length > 0,
  )
  if (conditions.length === 0) return new Map()
  const rows = conditions.map((condition) => {
    const of = (value: (run: Run) => number | undefined) =>
      figure(medianOf(figures, { workload: 'tracing', condition }, value))
    return [
      condition,
      of(perSecond),
      of(({ latency }) => latency?.p50Ms),
      of(({ latency }) => latency?.p99Ms),
      of(({ cpuMicroseconds }) => cpuMicroseconds.daemon),
      of(({ memoryMb }) => memoryMb.daemon),
    ]
  })
  const head = ['traced', 'bookings/s', 'p50, ms', 'p99, ms', 'CPU of the daemon a booking, µs', 'its memory, MB']
  return new Map([['tracing', markdownTable(head, rows)]])
}

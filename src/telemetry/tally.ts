import type { Counter } from 'prom-client'

/** One series of a counter, and what has come since the counter was told. */
export type Line = { count: number }

export type Tally = {
  /** The series begins with 0, so that its first rise is seen. */
  line<Label extends string>(counter: Counter<Label>, labels: Record<Label, string>): Line
  /** Tells the counters. */
  tell(): void
}

/**
 * Counts in plain numbers, and tells the counters once a commit: to find a series by its labels takes longer than to look
 * at a turn.
 */
export function createTally(): Tally {
  const tellers: (() => void)[] = []
  return {
    line(counter, labels) {
      const line = { count: 0 }
      const series = counter.labels(labels)
      series.inc(0)
      tellers.push(() => {
        if (line.count > 0) series.inc(line.count)
        line.count = 0
      })
      return line
    },
    tell() {
      for (const tell of tellers) tell()
    },
  }
}

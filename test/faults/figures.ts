import { percentile } from '../../ops/percentile.ts'
import type { Gauge } from './gauge.ts'
import type { Storm, Struck } from './storm.ts'

export type Spread = { count: number; median: number; p99: number; max: number }

/** All in milliseconds. */
export type Figures = {
  /** From the kill until each of the worker's partitions had another owner; nothing else was wrong. */
  takeover: Spread
  /** The longest that a partition of the killed worker went without an answer. */
  stallOfOrphans: Spread
  /** The same of the others, from the kill until all had answered again. */
  stallOfOthers: Spread
  /** The same of all in as long a time before anything went wrong. */
  stallInCalm: Spread
  /** From the return, or the end of the trouble, until all partitions had answered; no worker was killed meanwhile. */
  recovery: Record<string, Spread>
}

/** @param calm when nothing was wrong yet */
export function figuresOf({ kills, blows }: Storm, gauge: Gauge, calm: { fromMs: number; toMs: number }): Figures {
  const alone = kills.filter(({ isAlone, orphans }) => isAlone && orphans.length > 0)
  const all = gauge.answers.map((_, partition) => partition)
  return {
    takeover: spread(alone.map(({ atMs, takenMs }) => takenMs - atMs)),
    stallOfOrphans: spread(alone.map(({ orphanStallMs }) => orphanStallMs)),
    stallOfOthers: spread(alone.map(({ otherStallMs }) => otherStallMs)),
    stallInCalm: spread([gauge.longestGap(all, calm.fromMs, calm.toMs)]),
    recovery: recoveries(blows.filter(({ isAlone }) => isAlone)),
  }
}

function recoveries(blows: Struck[]): Record<string, Spread> {
  const byName = new Map<string, number[]>()
  for (const { name, overMs, recoveredMs } of blows)
    byName.set(name, [...(byName.get(name) ?? []), recoveredMs - overMs])
  return Object.fromEntries([...byName].toSorted().map(([name, values]) => [name, spread(values)]))
}

function spread(values: number[]): Spread {
  const at = (share: number): number => Math.round(percentile(values, share))
  return { count: values.length, median: at(0.5), p99: at(0.99), max: at(1) }
}

import type { Tally } from './tally.ts'
import type { Yardstick } from './yardsticks/start.ts'

/** Everything that a run of the bench has found out. It is written as JSON, and all that is printed and drawn is made from it. */
export type Figures = {
  machine: string
  /** RFC 3339. */
  measuredAt: string
  /** Whether it was only tried if it works: then the figures say nothing. */
  isQuick: boolean
  runs: Run[]
}

export const subjects = ['turnstile', 'one-statement', 'begin-commit'] as const
export type Subject = 'turnstile' | Yardstick

/** One measured stretch of time. Of several rounds each has its own. */
export type Run = {
  workload: string
  subject: Subject
  /** What distinguishes it from others of the same workload, such as `64 connections`. */
  condition: string
  /** What is counted. */
  unit: 'bookings' | 'turns' | 'tickets'
  perSecond: number
  latency?: Latency
  /** Of CPU for each of what is counted, by process. Unknown without `/proc`. */
  cpuMicroseconds: Record<string, number>
  /** For each of what is counted. */
  walBytes: number
  /** What the streams of NATS take of it. */
  storedMessages: number
  storedBytes: number
  /** What each process holds in the end. Unknown without `/proc`. */
  memoryMb: Record<string, number>
  /** What else came of requests, and how often. */
  others: Record<string, number>
  /** What only this workload finds out; the names have their units. */
  more: Record<string, number>
}

export type Latency = Omit<Tally, 'count'>

export type Wanted = Pick<Run, 'workload'> & Partial<Pick<Run, 'subject' | 'condition'>>

/** The runs of one kind: those of our own unless told otherwise. */
export function runsOf({ runs }: Pick<Figures, 'runs'>, { workload, subject = 'turnstile', condition }: Wanted): Run[] {
  return runs.filter((run) => {
    return run.workload === workload && run.subject === subject && (condition ?? run.condition) === run.condition
  })
}

/** The rounds of each kind, in the order in which they were measured. */
export function kindsOf({ runs }: Pick<Figures, 'runs'>): [Run, ...Run[]][] {
  const kinds = new Map<string, [Run, ...Run[]]>()
  for (const run of runs) {
    const name = [run.workload, run.condition, run.subject].join()
    const rounds = kinds.get(name)
    if (rounds) rounds.push(run)
    else kinds.set(name, [run])
  }
  return [...kinds.values()]
}

/** The median over rounds. Nothing when none of them knows it. */
export function middle(rounds: Run[], value: (run: Run) => number | undefined): number | undefined {
  return median(rounds.flatMap((run) => value(run) ?? []))
}

/** The median over all rounds of one kind. Nothing when it was not measured. */
export function medianOf(
  figures: Pick<Figures, 'runs'>,
  wanted: Wanted,
  value: (run: Run) => number | undefined,
): number | undefined {
  return middle(runsOf(figures, wanted), value)
}

export function median(values: number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

export const perSecond = (run: Run): number => run.perSecond

/** Of all processes that serve: whoever asks is not among them. Nothing where CPU is unknown. */
export function serverMicroseconds({ cpuMicroseconds }: Run): number | undefined {
  const servers = Object.entries(cpuMicroseconds).filter(([process]) => process !== 'client')
  return servers.length === 0 ? undefined : servers.reduce((sum, [, microseconds]) => sum + microseconds, 0)
}

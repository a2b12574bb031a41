import type { OpenLoadResult, Outcomes } from '../bench/open-load.ts'
import type { Overload } from './run.ts'
import type { MemorySample } from './watch.ts'

type Phase = OpenLoadResult['phases'][number]

export type PhaseFigures = {
  offered: number
  /** Answered with 201, a second. */
  booked: number
  p50Ms: number
  p99Ms: number
  /** Answered with 503, a second. */
  refused: number
  refusedP50Ms: number
  refusedP99Ms: number
  /** Neither nor, in all. */
  others: number
  /** Cores. */
  clientCpu: number
  daemonMb: number
  natsMb: number
}

export type Figures = {
  capacity: number
  capacityAfter: number
  /** Of the mean of both. */
  goodputShare: number
  phases: Record<'calm' | 'overload' | 'recovery', PhaseFigures>
  /** From the end of the overload until everybody is served, as fast as before; infinite when that did not come. */
  recoverySeconds: number
  /** How much more the daemon had in memory at most in the second half of the overload than in the first. */
  grownMb: number
  acknowledged: number
  lost: number
}

/** What must be seen. */
const bars = {
  goodputShare: 0.8,
  refusedP99Ms: 250,
  recoverySeconds: 30,
  grownMb: 32,
}

/** A second is as good as before when its p99 is no more than this many times that of the calm, and so much. */
const slack = { times: 2, ms: 20 }
const steadySeconds = 3

export function figuresOf({ capacity, capacityAfter, load, memory, acknowledged, lost }: Overload): Figures {
  const [warmUp, calm, overload, recovery] = load.phases as [Phase, Phase, Phase, Phase]
  const begins = [warmUp.seconds, warmUp.seconds + calm.seconds, warmUp.seconds + calm.seconds + overload.seconds]
  const figures = (phase: Phase, from: number): PhaseFigures => phaseFigures(phase, within(memory, from, phase.seconds))
  const phases = {
    calm: figures(calm, begins[0] ?? 0),
    overload: figures(overload, begins[1] ?? 0),
    recovery: figures(recovery, begins[2] ?? 0),
  }
  const half = overload.seconds / 2
  const most = (from: number): number => mostMb(within(memory, from, half), 'daemon')
  return {
    capacity,
    capacityAfter,
    goodputShare: phases.overload.booked / ((capacity + capacityAfter) / 2),
    phases,
    recoverySeconds: recoveredAfter(load.seconds.slice(begins[2]), phases.calm.p99Ms),
    grownMb: most((begins[1] ?? 0) + half) - most(begins[1] ?? 0),
    acknowledged,
    lost: lost.length,
  }
}

/** One line for each bar that is not held. */
export function shortfalls(figures: Figures, { violations }: Pick<Overload, 'violations'>): string[] {
  const { goodputShare, recoverySeconds, grownMb, phases, lost } = figures
  const { refused, refusedP99Ms, others } = phases.overload
  const short = (is: boolean, line: string): string[] => (is ? [line] : [])
  const percent = (share: number): string => `${Math.round(share * 100)} %`
  return [
    ...short(goodputShare < bars.goodputShare, `goodput is ${percent(goodputShare)} of capacity`),
    ...short(refused === 0, 'nobody was refused: it was no overload'),
    ...short(refusedP99Ms > bars.refusedP99Ms, `a 503 takes ${Math.round(refusedP99Ms)} ms (p99)`),
    ...short(others > 0, `${others} were neither served nor refused with Retry-After`),
    ...short(recoverySeconds > bars.recoverySeconds, `recovery takes ${recoverySeconds} s`),
    ...short(grownMb > bars.grownMb, `memory grew by ${grownMb} MiB in the second half of the overload`),
    ...short(lost > 0, `${lost} acknowledged bookings are lost`),
    ...violations,
  ]
}

export const bookedPerSecond = ({ outcomes, seconds }: Phase): number => (outcomes['201']?.count ?? 0) / seconds

function phaseFigures(phase: Phase, memory: MemorySample[]): PhaseFigures {
  const { outcomes, perSecond, seconds, cpuSeconds } = phase
  const [served, sentAway] = [outcomes['201'], outcomes['503']]
  const others = Object.entries(outcomes).filter(([outcome]) => outcome !== '201' && outcome !== '503')
  return {
    offered: perSecond,
    booked: bookedPerSecond(phase),
    p50Ms: served?.p50Ms ?? 0,
    p99Ms: served?.p99Ms ?? 0,
    refused: (sentAway?.count ?? 0) / seconds,
    refusedP50Ms: sentAway?.p50Ms ?? 0,
    refusedP99Ms: sentAway?.p99Ms ?? 0,
    others: others.reduce((sum, [, { count }]) => sum + count, 0),
    clientCpu: cpuSeconds / seconds,
    daemonMb: mostMb(memory, 'daemon'),
    natsMb: mostMb(memory, 'nats'),
  }
}

/** The first second from which on, for a while, everybody is booked and nobody waits for longer than before. */
function recoveredAfter(seconds: Outcomes[], calmP99Ms: number): number {
  const isGood = (outcomes: Outcomes | undefined): boolean => {
    const { '201': served, ...others } = outcomes ?? {}
    return Object.keys(others).length === 0 && (served?.p99Ms ?? 0) <= calmP99Ms * slack.times + slack.ms
  }
  const first = seconds.findIndex((_, index) => seconds.slice(index, index + steadySeconds).every(isGood))
  return first === -1 ? Number.POSITIVE_INFINITY : first
}

const within = (memory: MemorySample[], from: number, seconds: number): MemorySample[] =>
  memory.filter(({ second }) => second >= from && second < from + seconds)

const mostMb = (memory: MemorySample[], process: string): number =>
  Math.max(0, ...memory.map(({ mb }) => mb[process] ?? 0))

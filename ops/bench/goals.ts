import { type Figures, medianOf, perSecond, type Run, runsOf, serverMicroseconds } from './figures.ts'

/** What must be seen, and what was. */
export type Verdict = { goal: string; measured: string; isMet: boolean }

type Goal = {
  goal: string
  /** Nothing when it was not measured. */
  value(figures: Figures): number | undefined
  is: 'at least' | 'at most'
  bound: number
  text(value: number): string
}

const times = (value: number): string => `${value.toFixed(2)} ×`
const whole = (unit: string) => (value: number) => `${grouped(value)} ${unit}`
const grouped = (value: number): string => Math.round(value).toLocaleString('en')

const rate = (workload: string, condition: string, subject: Run['subject'] = 'turnstile') => {
  return (figures: Figures) => medianOf(figures, { workload, condition, subject }, perSecond)
}
const p99 = (run: Run): number | undefined => run.latency?.p99Ms

type Measure = (figures: Figures) => number | undefined

const ratio =
  (of: Measure, to: Measure): Measure =>
  (figures) => {
    const [above, below] = [of(figures), to(figures)]
    return above === undefined || below === undefined ? undefined : above / below
  }

const [few, many] = ['64 connections', '256 connections']

/** The smallest of several ratios: all of them have to hold. */
const least =
  (...measures: Measure[]): Measure =>
  (figures) => {
    const values = measures.flatMap((measure) => measure(figures) ?? [])
    return values.length === 0 ? undefined : Math.min(...values)
  }

const memoryOfDaemon = ({ memoryMb }: Run): number | undefined => memoryMb.daemon

const goals: Goal[] = [
  {
    goal: 'uniform: bookings/s',
    value: rate('uniform', few),
    is: 'at least',
    bound: 6_000,
    text: whole('bookings/s'),
  },
  {
    goal: 'uniform: times the yardstick in one statement',
    value: ratio(rate('uniform', few), rate('uniform', few, 'one-statement')),
    is: 'at least',
    bound: 1.2,
    text: times,
  },
  {
    goal: 'uniform: times the yardstick with BEGIN and COMMIT',
    value: ratio(rate('uniform', few), rate('uniform', few, 'begin-commit')),
    is: 'at least',
    bound: 2.8,
    text: times,
  },
  {
    goal: 'hot: times our own uniform',
    value: ratio(rate('hot', few), rate('uniform', few)),
    is: 'at least',
    bound: 0.9,
    text: times,
  },
  {
    goal: 'hot: times the yardstick in one statement',
    value: ratio(rate('hot', few), rate('hot', few, 'one-statement')),
    is: 'at least',
    bound: 3.5,
    text: times,
  },
  {
    goal: '256 connections: times those of 64',
    value: least(ratio(rate('uniform', many), rate('uniform', few)), ratio(rate('hot', many), rate('hot', few))),
    is: 'at least',
    bound: 1,
    text: times,
  },
  {
    goal: 'open, half of the ceiling: p99',
    value: (figures) => medianOf(figures, { workload: 'open', condition: '50 %' }, p99),
    is: 'at most',
    bound: 25,
    text: whole('ms'),
  },
  {
    goal: 'open, 90 % of the ceiling: p99',
    value: (figures) => medianOf(figures, { workload: 'open', condition: '90 %' }, p99),
    is: 'at most',
    bound: 150,
    text: whole('ms'),
  },
  {
    goal: 'open, 90 % of the ceiling: how much later in the end than at first',
    value: (figures) => medianOf(figures, { workload: 'open', condition: '90 %' }, queueGrowth),
    is: 'at most',
    bound: 2,
    text: times,
  },
  {
    goal: 'open, 90 % of the ceiling: memory that the daemon gains',
    value: (figures) => medianOf(figures, { workload: 'open', condition: '90 %' }, ({ more }) => more.gainedMb),
    is: 'at most',
    bound: 50,
    text: whole('MB'),
  },
  {
    goal: 'CPU per booking of all server processes',
    value: (figures) => medianOf(figures, { workload: 'uniform', condition: few }, serverMicroseconds),
    is: 'at most',
    bound: 250,
    text: whole('µs'),
  },
  {
    goal: 'commands over NATS: turns/s',
    value: (figures) => medianOf(figures, { workload: 'commands' }, perSecond),
    is: 'at least',
    bound: 20_000,
    text: whole('turns/s'),
  },
  {
    goal: 'life of a confirmed ticket, to the end of all its effects',
    value: (figures) => medianOf(figures, { workload: 'life' }, perSecond),
    is: 'at least',
    bound: 1_500,
    text: whole('tickets/s'),
  },
  {
    goal: 'growth: times what it is on empty tables',
    value: ratio(rate('growth', 'full'), rate('growth', 'empty')),
    is: 'at least',
    bound: 0.9,
    text: times,
  },
  {
    goal: '4 workers: CPU per booking, times that of 1',
    value: ratio(
      (figures) => medianOf(figures, { workload: 'workers', condition: '4 workers' }, serverMicroseconds),
      (figures) => medianOf(figures, { workload: 'workers', condition: '1 worker' }, serverMicroseconds),
    ),
    is: 'at most',
    bound: 1.25,
    text: times,
  },
  {
    goal: 'a tenth of the requests traced: times the bookings with none',
    value: ratio(rate('tracing', '10 %'), rate('tracing', 'off')),
    is: 'at least',
    bound: 0.95,
    text: times,
  },
  {
    goal: 'start to ready on full tables',
    value: (figures) => medianOf(figures, { workload: 'growth', condition: 'full' }, ({ more }) => more.startMs),
    is: 'at most',
    bound: 2_000,
    text: whole('ms'),
  },
  {
    goal: 'memory of the daemon on full tables, under load',
    value: (figures) =>
      most(runsOf(figures, { workload: 'growth', condition: 'full' }).flatMap((run) => memoryOfDaemon(run) ?? [])),
    is: 'at most',
    bound: 250,
    text: whole('MB'),
  },
]

/** Of bookings at the end of a run and at its beginning: by how much the median is later. */
function queueGrowth({ more: { firstMedianMs, lastMedianMs } }: Run): number | undefined {
  return firstMedianMs === undefined || lastMedianMs === undefined ? undefined : lastMedianMs / firstMedianMs
}

const most = (values: number[]): number | undefined => (values.length === 0 ? undefined : Math.max(...values))

/** Of the goals that something was measured for. */
export function judge(figures: Figures): Verdict[] {
  return goals.flatMap(({ goal, value, is, bound, text }) => {
    const measured = value(figures)
    if (measured === undefined) return []
    const isMet = is === 'at least' ? measured >= bound : measured <= bound
    return { goal: `${goal} ${is} ${text(bound)}`, measured: text(measured), isMet }
  })
}

import { type Figures, kindsOf, middle, perSecond, type Run, serverMicroseconds } from './figures.ts'
import { judge } from './goals.ts'

const columns: [head: string, width: number][] = [
  ['per second', 14],
  ['p50 ms', 9],
  ['p99 ms', 9],
  ['p99.9', 9],
  ['CPU µs', 9],
  ['WAL B', 8],
]

/** What was measured, medians of all rounds, and how it stands to the goals. */
export function report(figures: Figures): string {
  const sections = [figures.machine, table(figures), verdicts(figures), oddities(figures)]
  return `\n${sections.filter(Boolean).join('\n\n')}\n`
}

function table(figures: Figures): string {
  const kinds = kindsOf(figures).map((rounds) => ({ name: nameOf(rounds[0]), rounds }))
  const width = Math.max(0, ...kinds.map(({ name }) => name.length)) + 1
  const head = `${''.padEnd(width)}${columns.map(([name, width]) => name.padStart(width)).join('')}   CPU by process; memory`
  return [head, ...kinds.map(({ name, rounds }) => `${name.padEnd(width)}${line(rounds)}`)].join('\n')
}

function nameOf({ workload, condition, subject }: Run): string {
  return [workload, condition, ...(subject === 'turnstile' ? [] : [subject])].join(', ')
}

function line(rounds: [Run, ...Run[]]): string {
  const cells = [
    `${whole(middle(rounds, perSecond))} ${rounds[0].unit}`,
    ...(['p50Ms', 'p99Ms', 'p999Ms'] as const).map(
      (name) => middle(rounds, (run) => run.latency?.[name])?.toFixed(1) ?? '',
    ),
    whole(middle(rounds, serverMicroseconds)),
    whole(middle(rounds, (run) => run.walBytes)),
  ]
  const byProcess = (of: 'cpuMicroseconds' | 'memoryMb', unit: string): string =>
    Object.keys(rounds[0][of])
      .map((process) => `${process} ${whole(middle(rounds, (run) => run[of][process]))}`)
      .join(', ') + unit
  const figures = cells.map((cell, index) => cell.padStart(columns[index]?.[1] ?? 0)).join('')
  return `${figures}   ${byProcess('cpuMicroseconds', ' µs')}; ${byProcess('memoryMb', ' MB')}`
}

const whole = (value: number | undefined): string => (value === undefined ? '' : String(Math.round(value)))

function verdicts(figures: Figures): string {
  const lines = judge(figures)
  const width = Math.max(0, ...lines.map(({ goal }) => goal.length)) + 2
  return lines
    .map(({ goal, measured, isMet }) => `${isMet ? 'met    ' : 'NOT MET'}  ${goal.padEnd(width)}${measured}`)
    .join('\n')
}

/** What came of requests that was not asked for. */
function oddities({ runs }: Figures): string {
  return runs
    .filter(({ others }) => Object.keys(others).length > 0)
    .map(
      ({ workload, condition, subject, others }) => `${subject}, ${workload}, ${condition}: ${JSON.stringify(others)}`,
    )
    .join('\n')
}

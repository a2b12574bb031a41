import { type Figures, median, type Run, serverMicroseconds } from './figures.ts'
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

function table({ runs }: Figures): string {
  const kinds = new Map<string, Run[]>()
  for (const run of runs) {
    const name = [run.workload, run.condition, run.subject === 'turnstile' ? '' : run.subject]
      .filter(Boolean)
      .join(', ')
    kinds.set(name, [...(kinds.get(name) ?? []), run])
  }
  const width = Math.max(...[...kinds.keys()].map(({ length }) => length)) + 1
  const head = `${''.padEnd(width)}${columns.map(([name, width]) => name.padStart(width)).join('')}   CPU by process; memory`
  return [head, ...[...kinds].map(([name, runs]) => `${name.padEnd(width)}${line(runs)}`)].join('\n')
}

function line(runs: Run[]): string {
  const middle = (value: (run: Run) => number | undefined): number | undefined =>
    median(runs.flatMap((run) => value(run) ?? []))
  const cells = [
    `${whole(middle((run) => run.perSecond))} ${runs[0]?.unit}`,
    ...(['p50Ms', 'p99Ms', 'p999Ms'] as const).map((name) => middle((run) => run.latency?.[name])?.toFixed(1) ?? ''),
    whole(middle(serverMicroseconds)),
    whole(middle((run) => run.walBytes)),
  ]
  const byProcess = (of: 'cpuMicroseconds' | 'memoryMb', unit: string): string =>
    Object.keys(runs[0]?.[of] ?? {})
      .map((process) => `${process} ${whole(middle((run) => run[of][process]))}`)
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

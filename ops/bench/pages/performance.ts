import { subjectNames } from '../draw/pictures.ts'
import { type Figures, kindsOf, middle, perSecond, serverMicroseconds } from '../figures.ts'
import { judge } from '../goals.ts'
import { figure, markdownTable } from './blocks.ts'

/** What docs/performance.md says of a run. */
export function performanceBlocks(figures: Figures): Map<string, string> {
  return new Map([
    ['machine', `${figures.machine}; measured on ${figures.measuredAt.slice(0, 10)}.`],
    ['goals', goals(figures)],
    ['figures', table(figures)],
  ])
}

function goals(figures: Figures): string {
  const rows = judge(figures).map(({ goal, measured, isMet }) => [goal, measured, isMet ? 'met' : '**not met**'])
  return markdownTable(['goal', 'measured', ''], rows)
}

function table(figures: Figures): string {
  const rows = kindsOf(figures).map((rounds) => {
    const { workload, condition, subject, unit, cpuMicroseconds } = rounds[0]
    const latencies = (['p50Ms', 'p99Ms', 'p999Ms'] as const).map((name) =>
      middle(rounds, (run) => run.latency?.[name]),
    )
    const processes = Object.keys(cpuMicroseconds).map((name) => {
      return `${name} ${figure(middle(rounds, (run) => run.cpuMicroseconds[name]))}`
    })
    return [
      `${workload}, ${condition}`,
      subjectNames[subject],
      `${figure(middle(rounds, perSecond))} ${unit}`,
      latencies.map(figure).join(' / '),
      figure(middle(rounds, serverMicroseconds)),
      processes.join(', '),
      figure(middle(rounds, ({ walBytes }) => walBytes)),
    ]
  })
  const head = ['workload', 'of', 'a second', 'p50 / p99 / p99.9 ms', 'CPU µs of servers', 'by process', 'WAL bytes']
  return markdownTable(head, rows)
}

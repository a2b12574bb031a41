import { type Figures, medianOf, perSecond, type Run, type Subject, subjects } from '../figures.ts'
import { drawBars } from './bars.ts'
import { drawLines } from './lines.ts'

/** How the subjects are called where people read it. */
export const subjectNames: Record<Subject, string> = {
  turnstile: 'Turnstile',
  'one-statement': 'by hand, one statement',
  'begin-commit': 'by hand, BEGIN … COMMIT',
}

const isMeasured = ({ runs }: Figures, workload: string): boolean => runs.some((run) => run.workload === workload)

/** The pictures of what was measured, as SVG by file name. */
export function picturesOf(figures: Figures): Map<string, string> {
  const pictures: [name: string, workload: string, draw: (figures: Figures) => string][] = [
    ['throughput.svg', 'uniform', throughput],
    ['latency.svg', 'open', latency],
    ['growth.svg', 'growth', growth],
    ['workers.svg', 'workers', workers],
  ]
  return new Map(
    pictures
      .filter(([, workload]) => isMeasured(figures, workload))
      .map(([name, , draw]) => [name, draw(figures)] as const),
  )
}

function throughput(figures: Figures): string {
  const groups = ['uniform', 'hot'].flatMap((workload) =>
    [64, 256].map((connections) => ({
      name: `${workload}, ${connections}`,
      values: subjects.map((subject) =>
        medianOf(figures, { workload, subject, condition: `${connections} connections` }, perSecond),
      ),
    })),
  )
  const title = 'Bookings of 200 shows, and of one'
  const series = subjects.map((subject) => subjectNames[subject])
  return drawBars({ title, unit: 'bookings/s, by connections', series, groups })
}

function latency(figures: Figures): string {
  const places = ['25 %', '50 %', '75 %', '90 %']
  const line = (name: string, value: (run: Run) => number | undefined) => ({
    name,
    values: places.map((condition) => medianOf(figures, { workload: 'open', condition }, value)),
  })
  return drawLines({
    title: 'Latency against load',
    unit: 'ms from the intended start, by the part of what it can do',
    places,
    series: [
      line('median', (run) => run.latency?.p50Ms),
      line('p99', (run) => run.latency?.p99Ms),
      line('p99.9', (run) => run.latency?.p999Ms),
    ],
  })
}

function growth(figures: Figures): string {
  const full = figures.runs.find(({ workload, condition }) => workload === 'growth' && condition === 'full')
  const name = `${full?.more.turns?.toLocaleString('en')} turns of ${full?.more.actors?.toLocaleString('en')} actors`
  return costs(figures, 'Cost against the size of the data', 'growth', ['empty', 'full'], ['empty tables', name])
}

function workers(figures: Figures): string {
  const conditions = ['1 worker', '2 workers', '4 workers']
  return costs(figures, 'Cost against the number of workers', 'workers', conditions, conditions)
}

/** CPU of each process, side by side for each condition. */
function costs(figures: Figures, title: string, workload: string, conditions: string[], series: string[]): string {
  const [first] = figures.runs.filter((run) => run.workload === workload)
  const groups = Object.keys(first?.cpuMicroseconds ?? {}).map((process) => ({
    name: process,
    values: conditions.map((condition) =>
      medianOf(figures, { workload, condition }, ({ cpuMicroseconds }) => cpuMicroseconds[process]),
    ),
  }))
  return drawBars({ title, unit: 'µs of CPU a booking', series, groups })
}

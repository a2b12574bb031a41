import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Figures, figuresOf, type PhaseFigures, shortfalls } from './figures.ts'
import { runOverload } from './run.ts'

const help = `npm run overload [-- options]: offers the daemon more than it can do, on servers of its own: what it can do is found out first, then
half of it is offered, then so many times as much, then half of it again, at a fixed rate that does not wait for answers.
Ends with 1 unless enough is still booked, whoever is refused knows it at once, memory does not grow, everything is soon
as before, and nothing acknowledged is lost.

  --times N          how many times the capacity is offered (3)
  --seconds N        for how long (45)
  --json FILE        writes the figures there too, by the second
  --profile FOLDER   the daemon writes a CPU profile there when it ends, for a flame graph
`

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      times: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '45' },
      json: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const overload = await runOverload({
    capacitySeconds: 10,
    calmSeconds: 10,
    times: Number(values.times),
    overloadSeconds: Number(values.seconds),
    recoverySeconds: 33,
    profile: values.profile,
    progress: (line) => void process.stderr.write(`· ${line}\n`),
  })
  const figures = figuresOf(overload)
  const missed = shortfalls(figures, overload)
  if (values.json !== undefined) {
    const { load, memory } = overload
    writeFileSync(
      values.json,
      `${JSON.stringify({ ...figures, missed, seconds: load.seconds, memory }, undefined, 2)}\n`,
    )
  }
  process.stdout.write(text(figures))
  for (const line of missed) process.stdout.write(`MISSED: ${line}\n`)
  return missed.length === 0 ? 0 : 1
}

const rows: [name: string, value: (figures: PhaseFigures) => number][] = [
  ['offered a second', ({ offered }) => offered],
  ['booked a second', ({ booked }) => booked],
  ['booked, median, ms', ({ p50Ms }) => p50Ms],
  ['booked, p99, ms', ({ p99Ms }) => p99Ms],
  ['refused a second', ({ refused }) => refused],
  ['refused, median, ms', ({ refusedP50Ms }) => refusedP50Ms],
  ['refused, p99, ms', ({ refusedP99Ms }) => refusedP99Ms],
  ['neither', ({ others }) => others],
  ['memory of the daemon at most, MiB', ({ daemonMb }) => daemonMb],
  ['memory of nats-server at most, MiB', ({ natsMb }) => natsMb],
  ['CPU of the client, % of a core', ({ clientCpu }) => clientCpu * 100],
]

function text({ capacity, capacityAfter, goodputShare, phases, recoverySeconds, acknowledged, lost }: Figures): string {
  const columns = Object.values(phases)
  const line = (name: string, cells: (string | number)[]): string =>
    [name.padEnd(36), ...cells.map((cell) => String(cell).padStart(10))].join('')
  return [
    '',
    line('', Object.keys(phases)),
    ...rows.map(([name, value]) =>
      line(
        name,
        columns.map((figures) => Math.round(value(figures))),
      ),
    ),
    '',
    `capacity ${capacity} a second before, ${capacityAfter} afterwards; goodput ${Math.round(goodputShare * 100)} % of it`,
    `as before again after ${recoverySeconds} s`,
    `${lost} of ${acknowledged} acknowledged bookings lost`,
    '',
  ].join('\n')
}

import { randomInt } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { stopAll } from '../../ops/sandbox/process.ts'
import type { Spread } from './figures.ts'
import { type Run, runFaults } from './run.ts'

const help = `npm run faults [-- options]: sells on servers of its own while workers, broker, database and connections are broken, and then
holds every answer, the record, the services, the events and the read models against each other. Ends with 1 when a
promise was broken.

  --kills N      how many workers are killed (200)
  --seed S       what is drawn (any); what comes of it is not the same each time
  --customers N  how many buy at a time (24)
  --lease MS     TURNSTILE_LEASE_MS of the workers (2,000)
  --json FILE    writes the figures there too
`

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      kills: { type: 'string', default: '200' },
      seed: { type: 'string', default: String(randomInt(1_000_000)) },
      customers: { type: 'string', default: '24' },
      lease: { type: 'string', default: '2000' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const options = {
    seed: Number(values.seed),
    kills: Number(values.kills),
    isThorough: true,
    customers: Number(values.customers),
    leaseMs: Number(values.lease),
    progress: (line: string): void => void process.stderr.write(`· ${line}\n`),
  }
  try {
    const run = await runFaults(options)
    process.stdout.write(text(run))
    if (values.json !== undefined) writeJson(values.json, run, options)
    if (run.violations.length === 0) return 0
    process.stdout.write(`\nseed ${options.seed}; the daemons' logs: ${run.logs}\n`)
    return 1
  } finally {
    await stopAll()
  }
}

function writeJson(file: string, run: Run, { seed, kills, customers, leaseMs }: Record<string, unknown>): void {
  const { violations, figures, counts, failures, stormMs, settledMs, storm } = run
  const settings = { seed, kills, customers, leaseMs }
  const all = { settings, violations, counts, failures, stormMs, settledMs, figures, storm }
  writeFileSync(file, `${JSON.stringify(all, undefined, 2)}\n`)
}

function text({ violations, figures, counts, failures, stormMs, settledMs }: Run): string {
  const { takeover, stallOfOrphans, stallOfOthers, stallInCalm, recovery } = figures
  const lines = [
    ...Object.entries(counts).map(([name, count]) => row(name, count)),
    row('the storm took, s', stormMs / 1_000),
    row('until everything had come to its end, s', settledMs / 1_000),
    row('promises broken', violations.length),
    '',
    spreadRow('ms', 'count', 'median', 'p99', 'max'),
    of('takeover', takeover),
    of('longest stall of the partitions of the killed', stallOfOrphans),
    of('longest stall of all others', stallOfOthers),
    of('longest stall before the storm', stallInCalm),
    '',
    'until all partitions answer again',
    ...Object.entries(recovery).map(([name, spread]) => of(name, spread)),
    '',
    `no answer to clients: ${JSON.stringify(failures)}`,
    ...violations.map((line) => `BROKEN: ${line}`),
  ]
  return `\n${lines.join('\n')}\n`
}

const row = (name: string, value: number): string => `${name.padEnd(50)}${Math.round(value).toLocaleString('en')}`
const spreadRow = (name: string, ...cells: string[]): string =>
  `${name.padEnd(50)}${cells.map((cell) => cell.padStart(9)).join('')}`
const of = (name: string, { count, median, p99, max }: Spread): string =>
  spreadRow(name, ...[count, median, p99, max].map((value) => value.toLocaleString('en')))

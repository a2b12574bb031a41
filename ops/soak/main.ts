import { writeFileSync } from 'node:fs'
import os from 'node:os'
import { parseArgs } from 'node:util'
import { percentile } from '../percentile.ts'
import { mostGrownMb, mostMbPerHour, slopeOf } from './flat.ts'
import { pictureOf } from './picture.ts'
import { type Failure, runSoak, type Soak } from './run.ts'
import type { Sample } from './samples.ts'

const help = `npm run soak [-- options]: lets the daemon work for long, in all its roles and on servers of its own: bookings, cancellations,
confirmations and refunds of tickets, VIP bundles, readers, and listeners that come and go. Ends with 1 unless memory is
flat, everybody got what they came for, and the record holds.

  --minutes N     for how long (30)
  --per-second N  visits begun a second (30)
  --json FILE     writes every sample there
  --svg FILE      draws memory by time there
`

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '30' },
      'per-second': { type: 'string', default: '30' },
      json: { type: 'string' },
      svg: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const soak = await runSoak({
    minutes: Number(values.minutes),
    perSecond: Number(values['per-second']),
    progress: (line) => void process.stderr.write(`· ${line}\n`),
  })
  const figures = figuresOf(soak)
  const missed = shortfalls(soak)
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ figures, missed, ...soak }, undefined, 2)}\n`)
  }
  if (values.svg !== undefined) writeFileSync(values.svg, pictureOf(soak.samples))
  for (const [name, value] of Object.entries(figures)) process.stdout.write(`${name.padEnd(64)}${value}\n`)
  for (const line of missed) process.stdout.write(`MISSED: ${line}\n`)
  return missed.length === 0 ? 0 : 1
}

/** Of what is in use: how much of what it has had Node gives back, and when, is up to V8. */
const slope = ({ samples }: Soak): number =>
  Math.round(slopeOf(samples.map(({ seconds, heapUsedMb, externalMb }) => ({ seconds, mb: heapUsedMb + externalMb }))))

/** By how much the most that was resident in the second half is above the most in the first. */
function grownMb({ samples }: Soak): number {
  const half = (samples.at(-1)?.seconds ?? 0) / 2
  const most = (some: Sample[]): number => Math.max(0, ...some.map(({ daemonMb }) => daemonMb))
  const [first, second] = [
    samples.filter(({ seconds }) => seconds <= half),
    samples.filter(({ seconds }) => seconds > half),
  ]
  return Math.round(most(second) - most(first))
}

const stored = ({ streams }: Sample): number => Object.values(streams).reduce((sum, messages) => sum + messages, 0)

function byKind(failures: Failure[]): Map<Failure['visit'], string[]> {
  const kinds = new Map<Failure['visit'], string[]>()
  for (const { visit, atSeconds, error } of failures) {
    const known = kinds.get(visit) ?? []
    known.push(`after ${atSeconds} s: ${error}`)
    kinds.set(visit, known)
  }
  return kinds
}

function shortfalls(soak: Soak): string[] {
  const { failures, violations } = soak
  return [
    ...(slope(soak) > mostMbPerHour ? [`the memory in use by the daemon rises by ${slope(soak)} MiB an hour`] : []),
    ...(grownMb(soak) > mostGrownMb ? [`the daemon had ${grownMb(soak)} MiB more in the second half`] : []),
    ...[...byKind(failures)].map(
      ([kind, [first, ...more]]) => `${kind}: ${1 + more.length} failed, the first: ${first}`,
    ),
    ...violations,
  ]
}

function figuresOf(soak: Soak): Record<string, number> {
  const { samples, served, failures } = soak
  const of = (value: (sample: Sample) => number): number[] => samples.map(value)
  const [first, last] = [samples[0] as Sample, samples.at(-1) as Sample]
  const cores = (process: keyof Sample['cpu']): number =>
    Math.round(((last.cpu[process] - first.cpu[process]) * 100) / (last.seconds - first.seconds))
  return {
    ...Object.fromEntries(Object.entries(served).map(([name, count]) => [`served: ${name}`, count])),
    failed: failures.length,
    'CPU of the daemon, % of a core': cores('daemon'),
    'CPU of Postgres, % of a core': cores('postgres'),
    'CPU of nats-server, % of a core': cores('nats'),
    cores: os.cpus().length,
    'memory in use by the daemon rises by, MiB an hour': slope(soak),
    'most memory of the daemon in the second half, above the first, MiB': grownMb(soak),
    'memory of the daemon, median, MiB': Math.round(
      percentile(
        of(({ daemonMb }) => daemonMb),
        0.5,
      ),
    ),
    'memory of the daemon, most, MiB': Math.round(
      percentile(
        of(({ daemonMb }) => daemonMb),
        1,
      ),
    ),
    // It keeps an index of what it stores in memory, and events are stored for days.
    'memory of nats-server for a stored message, bytes': Math.round(
      ((last.natsMb - first.natsMb) * 2 ** 20) / (stored(last) - stored(first)),
    ),
    'event loop lag, p99, median of the samples, ms': Math.round(
      percentile(
        of((sample) => sample.eventLoopLagMs),
        0.5,
      ),
    ),
    'listeners at once, most': percentile(
      of(({ listeners }) => listeners),
      1,
    ),
    ...Object.fromEntries(
      Object.entries(last.streams).map(([name, count]) => [`messages in ${name} at the end`, count]),
    ),
    ...Object.fromEntries(
      Object.entries(last.tablesMb)
        .filter(([, size]) => size >= 1)
        .map(([name, size]) => [`table ${name} at the end, MiB`, Math.round(size)]),
    ),
  }
}

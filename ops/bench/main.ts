import { mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { startDaemon } from '../sandbox/daemon.ts'
import { startSandbox } from '../sandbox/sandbox.ts'
import { runClient } from './client.ts'
import { cpuSeconds } from './cpu.ts'
import type { LoadOptions, LoadResult } from './load.ts'
import { createShows } from './shows.ts'

const help = `npm run bench [-- options]: bookings a second over HTTP, on servers of its own, with everything on this machine.

  --seconds N       measured time of each run (10)
  --rounds N        runs of each workload, alternating; the medians are reported (3)
  --connections N   keep-alive connections (64)
  --json FILE       writes every figure there too
  --profile FOLDER  the daemon writes a CPU profile there when it ends, for a flame graph
  --quick           one short round: to see that it works, not how fast
`

type Workload = { name: string; shows: number; seats: number }

/** The rush is spread over many shows, or all of it is for one. */
const workloads: Workload[] = [
  { name: 'uniform, 200 shows', shows: 200, seats: 10_000_000 },
  { name: 'hot, one show', shows: 1, seats: 10_000_000 },
]

type Run = LoadResult & { workload: string; perSecond: number; cpuMicroseconds: Record<string, number> }

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: 'string', default: '10' },
      rounds: { type: 'string', default: '3' },
      connections: { type: 'string', default: '64' },
      json: { type: 'string' },
      profile: { type: 'string' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const rounds = values.quick ? 1 : Number(values.rounds)
  const load = {
    connections: Number(values.connections),
    seconds: values.quick ? 2 : Number(values.seconds),
    warmUpSeconds: values.quick ? 1 : 3,
  }
  const runs = await measure(rounds, load, values.profile)
  if (values.json !== undefined) {
    mkdirSync(path.dirname(path.resolve(values.json)), { recursive: true })
    writeFileSync(values.json, `${JSON.stringify({ machine: machine(), load, runs }, undefined, 2)}\n`)
  }
  process.stdout.write(report(runs))
  return runs.every(({ booked, others }) => booked > 0 && Object.keys(others).length === 0) ? 0 : 1
}

type Load = Pick<LoadOptions, 'connections' | 'seconds' | 'warmUpSeconds'>

async function measure(rounds: number, load: Load, profile: string | undefined): Promise<Run[]> {
  progress('starting Postgres, nats-server and the daemon')
  const nodeArgs = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${path.resolve(profile)}`]
  const runs: Run[] = []
  const sandbox = await startSandbox()
  try {
    // The calls of external services are published and wait in their queue: what they cost, no booking waits for.
    const env = { ...sandbox.env, LOG_LEVEL: 'warn' }
    const daemon = await startDaemon({ roles: 'ingress,worker,projector', nodeArgs, env })
    const processes = { daemon, postgres: sandbox.postgres, nats: sandbox.nats }
    for (let round = 1; round <= rounds; round++) {
      for (const workload of workloads) {
        progress(`round ${round} of ${rounds}: ${workload.name}, ${load.seconds} s`)
        const shows = await createShows(daemon.url, workload)
        runs.push(await runOnce(workload, { ...load, port: Number(sandbox.env.PORT), shows }, processes))
      }
    }
    await daemon.stop()
  } finally {
    await sandbox.stop()
  }
  return runs
}

type Processes = Record<string, { process(): { pid: number } }>

/** CPU is counted from before the warm-up and divided by all bookings since, so that both cover the same time. */
async function runOnce(workload: Workload, load: LoadOptions, processes: Processes): Promise<Run> {
  const usage = () =>
    Object.entries(processes).map(([name, server]) => [name, cpuSeconds(server.process().pid)] as const)
  const before = new Map(usage())
  const result = await runClient<LoadOptions, LoadResult>('load.ts', load)
  const perSecond = result.booked / result.seconds
  const bookings = perSecond * (load.seconds + load.warmUpSeconds)
  const cpuMicroseconds = Object.fromEntries(
    usage().flatMap(([name, seconds]) => {
      const started = before.get(name)
      if (seconds === undefined || started === undefined) return []
      return [[name, Math.round(((seconds - started) * 1e6) / bookings)]]
    }),
  )
  return { workload: workload.name, ...result, perSecond, cpuMicroseconds }
}

function report(runs: Run[]): string {
  const lines = workloads.map(({ name }) => {
    const mine = runs.filter(({ workload }) => workload === name)
    const middle = (value: (run: Run) => number): number => median(mine.map(value))
    const cpu = Object.keys(mine[0]?.cpuMicroseconds ?? {}).map((process) => {
      return `${process} ${middle((run) => run.cpuMicroseconds[process] ?? 0)}`
    })
    return [
      name.padEnd(20),
      `${Math.round(middle((run) => run.perSecond))}`.padStart(10),
      `${middle((run) => run.p50Ms).toFixed(1)}`.padStart(9),
      `${middle((run) => run.p99Ms).toFixed(1)}`.padStart(9),
      `${middle((run) => run.p999Ms).toFixed(1)}`.padStart(9),
      `   ${cpu.join(', ') || 'unknown here'}`,
    ].join('')
  })
  const head = `${''.padEnd(20)}${'bookings/s'.padStart(10)}${'p50 ms'.padStart(9)}${'p99 ms'.padStart(9)}${'p99.9'.padStart(9)}   CPU µs a booking`
  const faults = runs.filter(({ others }) => Object.keys(others).length > 0)
  const notes = faults.map(({ workload, others }) => `${workload}: not booked: ${JSON.stringify(others)}\n`)
  return `\n${machine()}\n\n${head}\n${lines.join('\n')}\n${notes.join('')}`
}

function machine(): string {
  const [cpu] = os.cpus()
  return `${os.cpus().length} × ${cpu?.model.trim()}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}, ${os.type()}`
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

function progress(line: string): void {
  process.stderr.write(`· ${line}\n`)
}

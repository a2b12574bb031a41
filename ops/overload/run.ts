import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import postgres from 'postgres'
import { runClient } from '../bench/client.ts'
import type { LoadOptions, LoadResult } from '../bench/load.ts'
import type { OpenLoadOptions, OpenLoadResult } from '../bench/open-load.ts'
import { createShows } from '../bench/shows.ts'
import { findLost, verifyRecord, violationsOf } from '../record.ts'
import { compiled, type Daemon, startDaemon } from '../sandbox/daemon.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'
import { bookedPerSecond } from './figures.ts'
import { type MemorySample, watchMemory } from './watch.ts'

export type OverloadOptions = {
  /** How long capacity is looked for each time, after a warm-up of half as much. */
  capacitySeconds: number
  /** How long a half of it is offered before. */
  calmSeconds: number
  /** How long so many times the capacity is offered. */
  times: number
  overloadSeconds: number
  /** How long a half of it is offered afterwards. */
  recoverySeconds: number
  /** The daemon writes a CPU profile there. */
  profile: string | undefined
  progress(line: string): void
}

/** One run. Bookings a second; what is of the client is that of the open model. */
export type Overload = {
  /** Found out before: the best of a closed and of an open loop. */
  capacity: number
  /** Found out again at the end, because others may use the machine too. */
  capacityAfter: number
  /** The phases are warm-up, calm, overload and recovery. */
  load: OpenLoadResult
  memory: MemorySample[]
  acknowledged: number
  /** Ids of those that are not there as made. */
  lost: string[]
  /** What `turnstile verify` finds wrong. */
  violations: string[]
}

const shows = { shows: 200, seats: 10_000_000 }
/**
 * More than wait in the daemon at any time, so that it is not the client who holds back. They are open before it begins:
 * Node takes one new connection in each turn of its event loop, so they would come one by one while it has much to do.
 */
const connections = 2_000
/** Longer than the daemon lets anybody wait. */
const patienceMs = 6_000
/** Nobody makes the calls, so they wait. */
const graceMs = 600_000

export async function runOverload(options: OverloadOptions): Promise<Overload> {
  options.progress('starting Postgres, nats-server and the daemon')
  const sandbox = await startSandbox()
  try {
    const env = { ...sandbox.env, LOG_LEVEL: 'warn' }
    const { profile } = options
    const nodeArgs = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${path.resolve(profile)}`]
    // The calls of external services are published and wait in their queue: what they cost, no booking waits for.
    const daemon = await startDaemon({ program: compiled, roles: 'ingress,worker,projector', nodeArgs, env })
    try {
      return await runOn(sandbox, daemon, options)
    } finally {
      await daemon.stop()
    }
  } finally {
    await sandbox.stop()
  }
}

async function runOn(sandbox: Sandbox, daemon: Daemon, options: OverloadOptions): Promise<Overload> {
  const { capacitySeconds, calmSeconds, times, overloadSeconds, recoverySeconds, progress } = options
  const warmUpSeconds = Math.ceil(capacitySeconds / 2)
  const target = { port: Number(sandbox.env.PORT), shows: await createShows(daemon.url, shows) }
  const ceilingNow = async (): Promise<number> => {
    progress(`what 256 clients get who wait for their answers, ${capacitySeconds} s`)
    const closed = { ...target, connections: 256, warmUpSeconds, seconds: capacitySeconds }
    const { booked, seconds } = await runClient<LoadOptions, LoadResult>('load.ts', closed)
    return Math.round(booked / seconds)
  }
  const ceiling = await ceilingNow()

  const open = { ...target, maxConnections: connections, openConnections: connections, patienceMs }
  const runOpen = (phases: OpenLoadOptions['phases'], bookingsFile?: string): Promise<OpenLoadResult> =>
    runClient('open-load.ts', { ...open, phases, ...(bookingsFile !== undefined && { bookingsFile }) })
  progress(`${ceiling} a second; the same as a fixed rate, ${capacitySeconds} s`)
  const openLoop = await runOpen([{ perSecond: ceiling, seconds: capacitySeconds }])
  const capacity = Math.max(ceiling, ...openLoop.phases.map(bookedPerSecond).map(Math.round))

  const half = Math.round(capacity / 2)
  progress(`${half} a second, then ${capacity * times} for ${overloadSeconds} s, then ${half} again`)
  const watch = watchMemory({ daemon: daemon.process().pid, nats: sandbox.nats.process().pid })
  const bookingsFile = path.join(process.env.TEST_FOLDER ?? tmpdir(), `bookings-${process.pid}`)
  const load = await runOpen(
    [
      { perSecond: half, seconds: warmUpSeconds },
      { perSecond: half, seconds: calmSeconds },
      { perSecond: capacity * times, seconds: overloadSeconds },
      { perSecond: half, seconds: recoverySeconds },
    ],
    bookingsFile,
  )
  const memory = watch.stop()
  const capacityAfter = await ceilingNow()

  progress('looking for what was acknowledged, and verifying the record')
  const acknowledged = readFileSync(bookingsFile, 'utf8').split('\n').filter(Boolean)
  const lost = await lostOf(sandbox, acknowledged)
  const violations = violationsOf(await verifyRecord(sandbox.postgres.url, graceMs))
  return { capacity, capacityAfter, load, memory, acknowledged: acknowledged.length, lost, violations }
}

async function lostOf({ postgres: { url } }: Sandbox, bookings: string[]): Promise<string[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    return await findLost(sql, bookings)
  } finally {
    await sql.end()
  }
}

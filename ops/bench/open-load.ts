/**
 * An open-loop client: bookings arrive at a fixed rate, whether the last ones are answered or not, as people do. The
 * latency of each counts from when it was meant to start: one that waits for a free connection waits like the others.
 * It runs as a process of its own, one request at a time on each connection.
 *
 * Reads one JSON line of OpenLoadOptions from its arguments, writes one line when each phase begins and one JSON line
 * of OpenLoadResult.
 */
import { writeFileSync } from 'node:fs'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { beginMark } from './client.ts'
import { bookingRequest, type LineAnswer } from './http-line.ts'
import { type Arrival, LinePool } from './line-pool.ts'
import { type Tally, tallyOf } from './tally.ts'

export type OpenLoadOptions = {
  port: number
  shows: string[]
  /** One after the other, without a pause. A warm-up is a phase whose result nobody reads. */
  phases: Phase[]
  /** Connections are opened when all are taken, up to so many. */
  maxConnections: number
  /** So many are open before anybody comes, as those of a load balancer are. */
  openConnections?: number
  /** Who is not answered so long after sending hangs up; who cannot send so long after they were due leaves. */
  patienceMs: number
  /** The ids of all bookings that were answered with 201 are written there, one a line. */
  bookingsFile?: string
}

type Phase = { perSecond: number /** Whole ones. */; seconds: number }

/** By what became of the bookings: a status, `503 without Retry-After`, `gave up` or the code of a socket's error. */
export type Outcomes = Record<string, Tally>

export type OpenLoadResult = {
  /** A booking belongs to the phase and the second in which it was meant to start. CPU is that of this client. */
  phases: (Phase & { outcomes: Outcomes; cpuSeconds: number })[]
  /** One for each second of the run. */
  seconds: Outcomes[]
  /** The most connections that were open at once. */
  connections: number
}

type Latencies = Record<string, number[]>

const giveUpEveryMs = 50

async function run(options: OpenLoadOptions): Promise<OpenLoadResult> {
  const { port, shows, phases, maxConnections, openConnections = 0, patienceMs, bookingsFile } = options
  const bookings: string[] = []
  const seconds: Latencies[] = Array.from({ length: totalSeconds(phases) }, () => ({}))
  let startedMs = 0
  const settle = ({ dueMs }: Arrival, outcome: string): void => {
    const second = seconds[Math.floor((dueMs - startedMs) / 1_000)] as Latencies
    second[outcome] ??= []
    second[outcome].push(performance.now() - dueMs)
  }
  const pool = new LinePool({
    port,
    maxConnections,
    patienceMs,
    answered(arrival, answer) {
      settle(arrival, outcomeOf(answer))
      if (bookingsFile !== undefined && answer.status === '201') bookings.push(JSON.parse(answer.body).booking_id)
    },
    failed: settle,
  })
  const patience = setInterval(() => pool.giveUp(performance.now()), giveUpEveryMs)

  await pool.open(openConnections)
  // A whole number: the sums that tell in which second one came must be exact.
  startedMs = Math.ceil(performance.now())
  const cpuSeconds: number[] = []
  let beginsMs = startedMs
  for (const phase of phases) {
    process.stdout.write(`${beginMark}\n`)
    const cpu = process.cpuUsage()
    await arrive(phase, beginsMs, (dueMs, index) => {
      pool.add({ dueMs, request: bookingRequest(shows[index % shows.length] as string) })
    })
    beginsMs += phase.seconds * 1_000
    const { user, system } = process.cpuUsage(cpu)
    cpuSeconds.push((user + system) / 1e6)
  }
  while (pool.unsettled > 0) await sleep(giveUpEveryMs)
  clearInterval(patience)
  if (bookingsFile !== undefined) writeFileSync(bookingsFile, bookings.map((id) => `${id}\n`).join(''))
  return {
    phases: phases.map((phase, index) => {
      const from = totalSeconds(phases.slice(0, index))
      const outcomes = outcomesOf(seconds.slice(from, from + phase.seconds))
      return { ...phase, outcomes, cpuSeconds: cpuSeconds[index] ?? 0 }
    }),
    seconds: seconds.map((second) => outcomesOf([second])),
    connections: pool.mostOpen,
  }
}

/** Calls for each arrival when it is due, or as soon afterwards as the process gets to it. Resolves when the phase is over. */
async function arrive(
  { perSecond, seconds }: Phase,
  beginsMs: number,
  add: (dueMs: number, index: number) => void,
): Promise<void> {
  const total = perSecond * seconds
  for (let index = 0; index < total; await sleep(1)) {
    const nowMs = performance.now()
    for (; index < total; index++) {
      const dueMs = beginsMs + (index * 1_000) / perSecond
      if (dueMs > nowMs) break
      add(dueMs, index)
    }
  }
  await sleep(Math.max(0, beginsMs + seconds * 1_000 - performance.now()))
}

/** Whoever is sent away must be told when to come back. */
function outcomeOf({ status, head }: LineAnswer): string {
  return status === '503' && !/\r\nretry-after: \d/i.test(head) ? '503 without Retry-After' : status
}

function outcomesOf(seconds: Latencies[]): Outcomes {
  const names = new Set(seconds.flatMap((second) => Object.keys(second)))
  return Object.fromEntries([...names].map((name) => [name, tallyOf(seconds.flatMap((second) => second[name] ?? []))]))
}

const totalSeconds = (phases: Phase[]): number => phases.reduce((sum, { seconds }) => sum + seconds, 0)

if (process.argv[2] !== undefined) {
  process.stdout.write(`${JSON.stringify(await run(JSON.parse(process.argv[2])))}\n`, () => process.exit(0))
}

import { setTimeout as sleep } from 'node:timers/promises'
import { createShows } from '../bench/shows.ts'
import { settledRecord, violationsOf } from '../record.ts'
import { compiled, startDaemon } from '../sandbox/daemon.ts'
import { startSandbox } from '../sandbox/sandbox.ts'
import { openSampler, type Sample } from './samples.ts'
import { type VisitName, visits } from './visits.ts'

export type SoakOptions = {
  minutes: number
  /** Visits begun a second. */
  perSecond: number
  progress(line: string): void
}

/** Of a visit, or of the one who looks how the daemon stands. */
export type Failure = { visit: VisitName | 'look' /** When it was noticed. */; atSeconds: number; error: string }

export type Soak = {
  samples: Sample[]
  /** How many of each kind got what they came for. */
  served: Record<VisitName, number>
  /** What went wrong for the others. */
  failures: Failure[]
  /** What `turnstile verify` finds wrong. */
  violations: string[]
}

const shows = { shows: 20, seats: 10_000_000 }
const mostSamples = 360
const patienceMs = 60_000
const names = Object.keys(visits) as VisitName[]

/** All roles in one process, with services that do not fail, and visitors of every kind at an even pace. */
export async function runSoak(options: SoakOptions): Promise<Soak> {
  options.progress('starting Postgres, nats-server, the services and the daemon')
  const sandbox = await startSandbox()
  try {
    const env = { ...sandbox.env, LOG_LEVEL: 'warn' }
    const daemon = await startDaemon({ program: compiled, env })
    const sampler = await openSampler(sandbox, daemon)
    try {
      const visited = await visitAll(daemon.url, options, sampler.look)
      options.progress('waiting until nothing is under way, and verifying the record')
      const violations = violationsOf(await settledRecord(sandbox.postgres.url, patienceMs))
      return { ...visited, violations }
    } finally {
      await sampler.close()
      await daemon.stop()
    }
  } finally {
    await sandbox.stop()
  }
}

async function visitAll(
  url: string,
  { minutes, perSecond, progress }: SoakOptions,
  look: () => Promise<Sample>,
): Promise<Omit<Soak, 'violations'>> {
  const served = Object.fromEntries(names.map((name) => [name, 0])) as Record<VisitName, number>
  const failures: Failure[] = []
  const place = { url, shows: await createShows(url, shows) }
  const underWay = new Set<Promise<void>>()
  const fail = (visit: Failure['visit'], { message }: Error): void => {
    failures.push({ visit, atSeconds: Math.round(pastMs() / 1_000), error: message })
  }
  const begin = (index: number): void => {
    const name = names[index % names.length] as VisitName
    const visit = visits[name]({ ...place, index })
      .then(() => {
        served[name] += 1
      })
      .catch((error: Error) => fail(name, error))
      .finally(() => underWay.delete(visit))
    underWay.add(visit)
  }

  progress(`${perSecond} visits a second for ${minutes} minutes`)
  const samples: Sample[] = []
  const totalMs = minutes * 60_000
  const sampleMs = Math.max(1_000, totalMs / mostSamples)
  const startedMs = performance.now()
  const pastMs = (): number => performance.now() - startedMs
  const sampling = (async () => {
    for (let next = 0; next <= totalMs; next += sampleMs) {
      await sleep(Math.max(0, next - pastMs()))
      try {
        samples.push(await look())
      } catch (error) {
        fail('look', error as Error)
      }
    }
  })()
  for (let begun = 0; begun < (totalMs * perSecond) / 1_000; await sleep(5)) {
    for (; begun < (pastMs() * perSecond) / 1_000; begun++) begin(begun)
  }
  await Promise.all([sampling, ...underWay])
  return { samples, served, failures }
}

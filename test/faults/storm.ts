import { setTimeout as sleep } from 'node:timers/promises'
import type { Chance } from '../support/random.ts'
import { until } from '../support/wait.ts'
import { type Blow, drawBlows, pairCount } from './blows.ts'
import type { Gauge } from './gauge.ts'
import type { House } from './house.ts'
import type { Member } from './member.ts'

/** Times are of `performance.now()`. */
export type Kill = {
  worker: string
  atMs: number
  /** The partitions that it had, or that nobody had: those were on their way to it. */
  orphans: number[]
  /** When the last of them had an owner again. */
  takenMs: number
  /** When all partitions had answered since. */
  answeredMs: number
  /** The longest that one of these, and one of the others, went without an answer meanwhile. */
  orphanStallMs: number
  otherStallMs: number
  /** Nothing else was wrong, and no other worker was killed. */
  isAlone: boolean
}

export type Struck = {
  name: string
  what: string
  fromMs: number
  /** What was away is back, what was silent speaks. */
  overMs: number
  /** All partitions have answered since. */
  recoveredMs: number
  /** No worker was killed meanwhile. */
  isAlone: boolean
}

export type StormOptions = {
  house: House
  gauge: Gauge
  chance: Chance
  leaseMs: number
  kills: number
  /** Tries each trouble on every kind of connection, and each blow once more without a killed worker. */
  isThorough: boolean
  progress(line: string): void
}

/** `stuck` tells of what did not come back in time. */
export type Storm = { kills: Kill[]; blows: Struck[]; stuck: string[] }

/** After this long something is not coming back. */
const patienceMs = 60_000

type Round = (storm: Storm, options: StormOptions) => Promise<void>

/** One round after the other: workers killed, something else that goes wrong, or both at once. */
export async function runStorm(options: StormOptions): Promise<Storm> {
  const storm: Storm = { kills: [], blows: [], stuck: [] }
  for (const round of drawRounds(options)) {
    await round(storm, options).catch((error: Error) => storm.stuck.push(error.message))
    await sleep(options.chance.below(options.leaseMs / 4))
  }
  return storm
}

/** Every blow with a worker killed meanwhile, while there are kills left; the other kills alone or in pairs. */
function drawRounds({ chance, kills, isThorough }: StormOptions): Round[] {
  const blows = shuffled(drawBlows(chance, isThorough ? pairCount : 1), chance)
  const beset = blows.slice(0, kills)
  const alone = isThorough ? drawBlows(chance, pairCount) : blows.slice(kills)
  const rounds: Round[] = [
    ...beset.map(
      (blow): Round =>
        (storm, options) =>
          dealBoth(blow, storm, options),
    ),
    ...alone.map(
      (blow): Round =>
        (storm, options) =>
          dealBlow(blow, true, storm, options),
    ),
  ]
  for (let left = kills - beset.length; left > 0; ) {
    const count = Math.min(left, chance.hits(0.15) ? 2 : 1)
    rounds.push((storm, options) => killSome(count, true, storm, options))
    left -= count
  }
  return shuffled(rounds, chance)
}

async function dealBoth(blow: Blow, storm: Storm, options: StormOptions): Promise<void> {
  const kill = async (): Promise<void> => {
    await sleep(options.chance.below(options.leaseMs))
    await killSome(1, false, storm, options)
  }
  await Promise.all([dealBlow(blow, false, storm, options), kill()])
}

async function dealBlow(blow: Blow, isAlone: boolean, storm: Storm, options: StormOptions): Promise<void> {
  const { gauge, progress } = options
  const fromMs = performance.now()
  const what = await blow.strike(options)
  const overMs = performance.now()
  const recoveredMs = await allAnswered(gauge, overMs, blow.name)
  storm.blows.push({ name: blow.name, what, fromMs, overMs, recoveredMs, isAlone })
  progress(
    `${[blow.name, what].filter((part) => part !== '').join(': ')}; all is well ${ms(recoveredMs - overMs)} after`,
  )
}

async function killSome(count: number, isAlone: boolean, storm: Storm, options: StormOptions): Promise<void> {
  const { house, gauge, chance, progress } = options
  const up = (): Member[] => house.workers.filter((worker) => worker.isUp())
  await until('others are there to take over', () => up().length > count, patienceMs)
  const workers = up()
  const victims = Array.from({ length: count }, () => chance.take(workers))
  const kill = async (victim: Member): Promise<void> => {
    const pid = victim.pid()
    const atMs = performance.now()
    await victim.kill()
    // What it had when it died is still its own, until its lease has run out.
    const orphans = await orphansOf(house, pid)
    await until(`the partitions of ${victim.name} have another owner`, () => isTaken(house, orphans, pid), patienceMs)
    const takenMs = performance.now()
    const answeredMs = await allAnswered(gauge, takenMs, `the kill of ${victim.name}`)
    const others = allOf(gauge).filter((partition) => !orphans.includes(partition))
    const [orphanStallMs, otherStallMs] = [orphans, others].map((some) => gauge.longestGap(some, atMs, answeredMs))
    storm.kills.push({
      worker: victim.name,
      atMs,
      orphans,
      takenMs,
      answeredMs,
      orphanStallMs: orphanStallMs ?? 0,
      otherStallMs: otherStallMs ?? 0,
      isAlone: isAlone && count === 1,
    })
    progress(
      `${victim.name} killed (${storm.kills.length}): ${orphans.length} partitions had an owner again after ${ms(takenMs - atMs)}, the others stalled ${ms(otherStallMs ?? 0)}`,
    )
  }
  await Promise.all(victims.map(kill))
}

/** A worker names itself by its process. */
const nameOf = (pid: number): string => `%-${pid}-%`

async function orphansOf({ sql }: House, pid: number): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select id from partition where owner is null or owner like ${nameOf(pid)}`.catch(() => [])
  return rows.map(({ id }) => id)
}

/** While the database is away, nothing is. */
async function isTaken({ sql }: House, partitions: number[], pid: number): Promise<boolean> {
  const rows = await sql`
    select from partition where id = any (${partitions}) and (owner is null or owner like ${nameOf(pid)})
    limit 1`.catch(() => undefined)
  return rows?.length === 0
}

async function allAnswered(gauge: Gauge, fromMs: number, after: string): Promise<number> {
  let answeredMs: number | undefined
  const isSo = (): boolean => {
    answeredMs = gauge.allAnswered(allOf(gauge), fromMs)
    return answeredMs !== undefined
  }
  await until(`all partitions answer again after ${after}`, isSo, patienceMs)
  return answeredMs ?? fromMs
}

function shuffled<T>(items: T[], chance: Chance): T[] {
  const left = [...items]
  return items.map(() => chance.take(left))
}

const allOf = (gauge: Gauge): number[] => gauge.answers.map((_, partition) => partition)

const ms = (value: number): string => `${Math.round(value).toLocaleString('en')} ms`

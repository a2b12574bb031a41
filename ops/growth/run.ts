import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { actors } from '../../actors/index.ts'
import { archiveTurns } from '../../src/archive/archive.ts'
import { openArchive } from '../../src/archive/read.ts'
import { openArchiveStore } from '../../src/store/archive.ts'
import { bookTickets, createShows, forEachOf } from '../bench/shows.ts'
import { onStage, type Stage } from '../bench/stage.ts'
import { settledRecord, violationsOf } from '../record.ts'
import { differenceOf, hotShares, type Sizes, tableSizes } from './sizes.ts'

export type Growth = {
  bookings: number
  /** What they take, in bytes; of the archive, what their turns take there. */
  sizes: Sizes
  turns: number
  archivedTurns: number
  events: number
  updates: Record<string, { updates: number; hot: number }>
  violations: string[]
}

const patienceMs = 120_000
const yearMs = 365 * 86_400_000
const partitions = '8'

/** Makes bookings of two tickets each, waits until all that follows from them is done, and looks what there is more than before. */
export function measureGrowth(bookings: number, progress: (line: string) => void): Promise<Growth> {
  return onStage([], async (stage) => {
    const daemon = await stage.addDaemon('daemon', 'ingress,worker,effects,projector', {
      PORT: stage.env.PORT,
      TURNSTILE_PARTITIONS: partitions,
    })
    const shows = await createShows(daemon.url, { shows: 10, seats: 1_000_000 })
    const book = (count: number) =>
      forEachOf(Array.from({ length: count }), (_) => {
        const show_id = shows[Math.floor(Math.random() * shows.length)]
        return bookTickets(daemon.url, { show_id, number_of_tickets: 2, customer_email: 'kate@example.com' })
      })
    // Every table and index has its first pages, whatever comes.
    await book(Math.ceil(bookings / 4))
    await settledRecord(stage.postgres.url, patienceMs)
    const before = { ...(await tableSizes(stage.sql)), ...(await streamSizes(stage)) }
    const earlier = await counts(stage)
    progress(`making ${bookings} bookings of two tickets each`)
    await book(bookings)
    const findings = await settledRecord(stage.postgres.url, patienceMs)
    const after = { ...(await tableSizes(stage.sql)), ...(await streamSizes(stage)) }
    const now = await counts(stage)
    await untilProjected(stage)
    const updates = await hotShares(stage.sql)
    progress('archiving their turns')
    const archived = await archiveAll(stage, bookings)
    return {
      ...{ bookings, updates, archivedTurns: archived.turns },
      sizes: { ...differenceOf(after, before), 'archive files': archived.bytes },
      turns: now.turns - earlier.turns,
      events: now.events - earlier.events,
      violations: violationsOf(findings),
    }
  })
}

async function streamSizes({ streams }: Stage): Promise<Sizes> {
  const sizes: Sizes = {}
  for (const name of ['mailbox', 'events', 'effects']) {
    const { state } = await streams.info(`turnstile-${name}`)
    sizes[`stream of ${name}`] = state.bytes
  }
  return sizes
}

async function counts({ sql, streams }: Stage): Promise<{ turns: number; events: number }> {
  const [row] = await sql<{ turns: number }[]>`select count(*)::int as turns from turn`
  const { state } = await streams.info('turnstile-events')
  return { turns: row?.turns ?? 0, events: state.messages }
}

async function untilProjected({ sql }: Stage): Promise<void> {
  const isBehind = async () =>
    (await sql`select from projection join partition on partition.id = partition where position < head`).length > 0
  while (await isBehind()) await sleep(50)
}

/** On a day when all of it is old; what that takes for as many bookings as were counted. */
async function archiveAll(stage: Stage, bookings: number): Promise<{ turns: number; bytes: number }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'archive-'))
  const store = openArchiveStore({ url: stage.postgres.url, applicationName: 'growth', deadlineMs: 60_000 })
  try {
    const nowMs = Date.now() + 2 * yearMs
    const tally = await archiveTurns({
      ...{ store, actors, archive: openArchive(), folder, nowMs, beforeMs: nowMs - yearMs, isDryRun: false },
      onProgress: () => {},
    })
    const all = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) =>
      statSync(path.join(folder, name)),
    )
    const bytes = all.filter((file) => file.isFile()).reduce((sum, { size }) => sum + size, 0)
    const made = bookings + Math.ceil(bookings / 4)
    const turns = Object.values(tally).reduce((sum, { turns }) => sum + turns, 0)
    return { turns: (turns * bookings) / made, bytes: (bytes * bookings) / made }
  } finally {
    await store.close()
    rmSync(folder, { recursive: true })
  }
}

import { createHash } from 'node:crypto'
import { holdArchive } from '../archive/archive.ts'
import type { StoredMessages } from '../broker/stored.ts'
import type { Clock } from '../engine/ports.ts'
import type { AuditStore, Author } from '../store/audit.ts'
import type { ErasureStore } from '../store/erasure.ts'
import { eraseFiles, type WrittenArchive } from './files.ts'
import { eraseStreams, type StreamCounts } from './streams.ts'
import { eraseTables } from './tables.ts'

/** What all parts of an erasure need to know. */
export type Work = {
  email: string
  erase(text: string): string
  isDryRun: boolean
  /** Shows how far it is, in place of what was shown before. */
  showProgress(text: string): void
}

export type Surroundings = {
  store: ErasureStore
  stored: StoredMessages
  archive: WrittenArchive
  audit: Pick<AuditStore, 'append'>
  clock: Clock
}

export type Outcome = StreamCounts & {
  /** How many rows named the customer, by table. */
  tables: Record<string, number>
  /** How many files of the archive named them. */
  files: number
  /** Partitions of which something was still to be told, or to be brought into a read model. */
  behind: number
  /** Bookings and bundles of erased customers that still wait for tickets or services, and how long they may. */
  open: { actors: number; until: string | null }
  /** Whether the last look found nothing any more. */
  isDone: boolean
}

const retryMs = 500

/** By which the audit log knows the customer: who asks for an erasure can be shown that it was done. */
export const digestOf = (email: string): string =>
  `sha256:${createHash('sha256').update(email.toLowerCase()).digest('hex')}`

/**
 * Takes a customer out of everything, while everything runs. It looks, writes over what it finds, waits until all that was under
 * way meanwhile has come to its end, and looks again, until a look finds nothing. The archive comes last: nobody adds to it
 * meanwhile. Interrupted, it is begun again, and comes out the same.
 *
 * @param waitMs how long it goes on looking when there is something that it must leave alone
 * @throws `archive-busy` before anything is done, `archive-unreadable` when all but the archive is
 */
export async function eraseCustomer(
  work: Work,
  around: Surroundings,
  author: Author,
  waitMs: number,
): Promise<Outcome> {
  const { store, audit, clock, archive } = around
  await holdArchive(archive.store)
  const deadlineMs = clock.monotonicMs() + waitMs
  const subject = `customer ${digestOf(work.email)}`
  if (!work.isDryRun) await audit.append({ act: 'erase', subject, details: {} }, author)
  const tables = new Map<string, number>()
  const removed = { events: 0, mailbox: 0 }
  for (;;) {
    const look = await lookOnce(work, around, deadlineMs)
    for (const [name, rows] of look.tables) tables.set(name, (tables.get(name) ?? 0) + rows)
    removed.events += look.streams.removed.events
    removed.mailbox += look.streams.removed.mailbox
    const { waiting } = look.streams
    const isClean = look.tables.size === 0 && look.streams.removed.events + look.streams.removed.mailbox === 0
    const isDone = isClean && look.behind + waiting.mailbox + waiting.effects === 0
    if (isDone || work.isDryRun || (isClean && clock.monotonicMs() > deadlineMs)) {
      const files = await eraseFiles(archive, work)
      const outcome = { tables: Object.fromEntries(tables), files, removed, waiting, behind: look.behind, isDone }
      if (!work.isDryRun) await audit.append({ act: 'erased', subject, details: outcome }, author)
      return { ...outcome, open: await store.open() }
    }
    if (isClean) await clock.sleep(retryMs)
  }
}

async function lookOnce(work: Work, around: Surroundings, deadlineMs: number) {
  const tables = await eraseTables(around.store, work)
  if (!work.isDryRun && tables.size > 0) around.stored.offer()
  const behind = work.isDryRun ? 0 : await untilTold(around, deadlineMs)
  return { tables, behind, streams: await eraseStreams(around.stored, around.store, work) }
}

/**
 * Waits until all that is decided by now has been told by the workers that have it in memory, and is in the read models. A step
 * of the projector that has read rows before they were written over has come to its end by then, or comes to nothing.
 *
 * @returns how many partitions were behind when the time was over
 */
async function untilTold({ store, clock }: Surroundings, deadlineMs: number): Promise<number> {
  const heads = new Map((await store.standings()).map(({ partition, head }) => [partition, head]))
  for (;;) {
    const behind = (await store.standings()).filter(({ partition, published, read, isOwned }) => {
      const head = heads.get(partition) ?? 0
      return read < head || (isOwned && published < head)
    })
    if (behind.length === 0 || clock.monotonicMs() > deadlineMs) return behind.length
    await clock.sleep(retryMs / 5)
  }
}

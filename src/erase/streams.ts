import type { StoredMessage, StoredMessages } from '../broker/stored.ts'
import type { ErasureStore } from '../store/erasure.ts'
import { eraseBytes } from './document.ts'
import type { Work } from './erase.ts'

export type StreamCounts = {
  /** Taken out, or to be: public events, and commands that have had their turn. */
  removed: { events: number; mailbox: number }
  /** Left alone, as somebody waits for them: commands that are still to be decided, effects that are still to be made. */
  waiting: { mailbox: number; effects: number }
}

/** Looks through the streams, and takes out the messages that name the customer and have done their work. */
export async function eraseStreams(stored: StoredMessages, store: ErasureStore, work: Work): Promise<StreamCounts> {
  const counts: StreamCounts = { removed: { events: 0, mailbox: 0 }, waiting: { mailbox: 0, effects: 0 } }
  // Asked for first: what has had its turn by now has had it for good.
  const isDecided = await decidedBy(stored, store)
  for await (const { sequence } of named(stored, 'events', work)) {
    counts.removed.events += 1
    if (!work.isDryRun) await stored.remove('events', sequence)
  }
  for await (const message of named(stored, 'mailbox', work)) {
    if (!isDecided(message)) {
      counts.waiting.mailbox += 1
      continue
    }
    counts.removed.mailbox += 1
    if (!work.isDryRun) await stored.remove('mailbox', message.sequence)
  }
  for await (const _ of named(stored, 'effects', work)) counts.waiting.effects += 1
  return counts
}

async function* named(stored: StoredMessages, stream: 'events' | 'mailbox' | 'effects', { erase, showProgress }: Work) {
  let looked = 0
  for await (const page of stored.read(stream)) {
    looked += page.length
    showProgress(`${stream}: ${looked} messages`)
    yield* page.filter(({ payload, headers }) => eraseBytes(payload, erase) !== payload || erase(headers) !== headers)
  }
}

async function decidedBy(stored: StoredMessages, store: ErasureStore): Promise<(message: StoredMessage) => boolean> {
  const stream = await stored.mailboxStream()
  const cursors = new Map(
    (await store.cursors()).flatMap((row) => (row.stream === stream ? [[row.id, row.cursor]] : [])),
  )
  return ({ partition, sequence }) => sequence <= (cursors.get(partition) ?? 0)
}

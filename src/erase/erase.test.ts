import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { erasedEmail, eraserOf } from '../actor/erasure.ts'
import type { StoredMessage } from '../broker/stored.ts'
import type { ErasableTable, FoundRow } from '../store/erasure.ts'
import { digestOf, eraseCustomer, type Surroundings } from './erase.ts'
import { textOf } from './text.ts'

const email = 'kate@example.com'
const naming = JSON.stringify({ customer_email: email })
const table: ErasableTable = { name: 'turn', columns: [{ name: 'message', type: 'json' }], blocks: 1 }

/** One table and three streams in memory. */
let rows: FoundRow[]
let streams: Record<'mailbox' | 'effects' | 'events', StoredMessage[]>
let standing: { head: number; published: number; read: number; isOwned: boolean }
let acts: { act: string; subject: string; who: string }[]
let isHeld: boolean
let nowMs: number
let onSleep: () => void
beforeEach(() => {
  rows = [{ place: '(0,1)', version: '1', values: [naming] }]
  streams = { mailbox: [], effects: [], events: [] }
  standing = { head: 1, published: 1, read: 1, isOwned: true }
  acts = []
  isHeld = true
  nowMs = 0
  onSleep = () => {}
})

const messageOf = (sequence: number): StoredMessage => {
  return { sequence, partition: 0, headers: '', payload: new TextEncoder().encode(naming) }
}

const around = {
  store: {
    tables: async () => [table],
    find: async () => rows.filter(({ values }) => values[0]?.includes(email)),
    replace: async (_: ErasableTable, changed: FoundRow[]) => {
      rows = changed
    },
    standings: async () => [{ partition: 0, ...standing }],
    cursors: async () => [{ id: 0, cursor: 5, stream: 'one' }],
    open: async () => ({ actors: 0, until: null }),
  },
  stored: {
    async *read(stream: keyof typeof streams) {
      yield streams[stream]
    },
    mailboxStream: async () => 'one',
    remove: async (stream: keyof typeof streams, sequence: number) => {
      streams[stream] = streams[stream].filter((message) => message.sequence !== sequence)
    },
    offer: () => {},
  },
  archive: {
    store: { begin: async () => isHeld, reaches: async () => [], files: async () => [], replace: async () => {} },
  },
  audit: { append: async (act: object, by: object) => void acts.push({ ...act, ...by } as (typeof acts)[number]) },
  clock: {
    monotonicMs: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms
      onSleep()
    },
  },
} as unknown as Surroundings

const erase = (isDryRun = false) => {
  const work = { email, erase: eraserOf(email), isDryRun, showProgress: () => {} }
  return eraseCustomer(work, around, { who: 'ada' }, 10_000)
}

describe('an erasure', () => {
  test('looks again until it finds nothing, and is noted before and after, by a digest', async () => {
    streams.events = [messageOf(1)]
    const { tables, removed, isDone } = await erase()
    assert.deepEqual([tables, removed, isDone], [{ turn: 1 }, { events: 1, mailbox: 0 }, true])
    assert.deepEqual(rows[0]?.values, [JSON.stringify({ customer_email: erasedEmail })])
    assert.deepEqual(
      acts.map(({ act, subject, who }) => [act, subject, who]),
      ['erase', 'erased'].map((act) => [act, `customer ${digestOf('KATE@example.com')}`, 'ada']),
    )
    assert.ok(!JSON.stringify(acts).includes(email))
  })

  test('that is only tried changes nothing and waits for nothing', async () => {
    streams.events = [messageOf(1)]
    standing.published = 0
    const { tables, removed } = await erase(true)
    assert.deepEqual([tables, removed, nowMs, acts], [{ turn: 1 }, { events: 1, mailbox: 0 }, 0, []])
    assert.deepEqual([rows[0]?.values, streams.events.length], [[naming], 1])
  })

  test('touches nothing while somebody else moves old turns', async () => {
    isHeld = false
    await assert.rejects(erase(), { code: 'archive-busy' })
    assert.deepEqual([rows[0]?.values, acts], [[naming], []])
  })

  test('takes out commands that had their turn, and leaves alone what is still to be done', async () => {
    streams.mailbox = [messageOf(5), messageOf(6)]
    streams.effects = [messageOf(1)]
    const outcome = await erase()
    assert.deepEqual([outcome.removed.mailbox, outcome.waiting], [1, { mailbox: 1, effects: 1 }])
    assert.ok(!outcome.isDone && nowMs > 10_000)
    assert.match(textOf(outcome, false), /1 commands .*\n1 calls .*\nNot all of it is gone/)
  })

  test('is done once what it waits for is over', async () => {
    streams.effects = [messageOf(1)]
    onSleep = () => {
      streams.effects = []
    }
    const { isDone } = await erase()
    assert.ok(isDone && nowMs < 10_000)
  })

  test('does not believe a look that was taken while a read model or a worker was behind', async () => {
    standing.read = 0
    onSleep = () => {
      // What the projector had read before comes back.
      if (standing.read === 0) rows = [{ place: '(0,2)', version: '2', values: [naming] }]
      standing.read = 1
    }
    const { tables, isDone } = await erase()
    assert.deepEqual([tables, isDone], [{ turn: 2 }, true])
    standing.published = 0
    onSleep = () => {}
    assert.deepEqual([(await erase()).behind, (await erase()).isDone], [1, false])
    standing.isOwned = false
    assert.ok((await erase()).isDone, 'nobody has anything in memory that could still be told')
  })
})

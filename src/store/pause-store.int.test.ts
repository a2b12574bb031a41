import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import type { DeadLetter, Pause } from '../engine/ports.ts'
import { type OpenDatabase, openDatabase } from './database.fixtures.ts'
import type { LetterFilter } from './dead-letter-records.ts'
import { type DeadLetterStore, openDeadLetters } from './dead-letter-store.ts'
import { openPauses, type PauseStore } from './pause-store.ts'
import type { PostgresStore } from './postgres.ts'
import { batchOf, claimed, letterOf, one } from './store.fixtures.ts'

const by = { who: 'ada', reason: 'a try' }
const shows: Pause = { target: 'kind', name: 'show' }

describe('pauses, as people see them', () => {
  let database: OpenDatabase
  let store: PostgresStore
  let pauses: PauseStore
  let letters: DeadLetterStore
  before(async () => {
    database = await openDatabase()
    store = await database.open()
  })
  after(() => database.close())
  beforeEach(async () => {
    await database.reset()
    await database.sql`delete from audit`
    const options = { url: database.url, applicationName: 'test people', deadlineMs: 5_000 }
    pauses = openPauses(options)
    letters = openDeadLetters(options)
  })
  afterEach(() => Promise.all([pauses.close(), letters.close()]))

  const setAside = async (kind: string, actorId: string): Promise<DeadLetter> => {
    const letter = letterOf({ code: 'actor-paused', kind, actorId })
    await store.keepDeadLetter(letter)
    return letter
  }
  const found = async (filter: LetterFilter): Promise<string[]> =>
    (await letters.find(filter, 'oldest first', 10)).map(({ actorId }) => actorId).sort()

  it('begin and end once, with a row for each act', async () => {
    assert.equal(await pauses.pause(shows, by), true)
    assert.equal(await pauses.pause(shows, { who: 'bert', reason: 'another' }), false)
    const { since, ...pause } = one(await pauses.list())
    assert.deepEqual(pause, { ...shows, ...by, waiting: 0 })
    assert.match(since, /^\d{4}-.*Z$/)
    assert.equal(await pauses.resume(shows, { who: 'carl' }), true)
    assert.equal(await pauses.resume(shows, { who: 'dora' }), false)
    assert.deepEqual(await pauses.list(), [])
    const acts = await database.sql`select who, act, subject, reason from audit order by seq`
    assert.deepEqual(
      acts.map((row) => ({ ...row })),
      [
        { who: 'ada', act: 'pause', subject: 'kind show', reason: 'a try' },
        { who: 'carl', act: 'resume', subject: 'kind show', reason: null },
      ],
    )
  })

  it('hold messages back as long as one of them lasts', async () => {
    const [first, second] = [randomUUID(), randomUUID()].sort() as [string, string]
    await Promise.all([setAside('show', first), setAside('show', second), setAside('ticket', first)])
    const actor: Pause = { target: 'actor', name: `show.${first}` }
    for (const pause of [actor, shows, { target: 'service', name: 'payments' } as const]) await pauses.pause(pause, by)
    const waiting = async () => (await pauses.list()).map(({ target, waiting }) => [target, waiting])
    assert.deepEqual(await waiting(), [
      ['actor', 1],
      ['kind', 2],
      ['service', null],
    ])
    assert.deepEqual(await pauses.leftovers(), [{ kind: 'ticket', waiting: 1 }])

    const released = { code: 'actor-paused', isHeld: false, kind: 'show' }
    assert.deepEqual(await found(released), [])
    await pauses.resume(shows, by)
    assert.deepEqual(await found(released), [second])
    assert.deepEqual(await found({ ...released, isHeld: true }), [first])
    await pauses.resume(actor, by)
    assert.deepEqual(await found(released), [first, second])
  })

  it('keep their messages out of the way of who looks for what failed', async () => {
    const [kept, failed] = [await setAside('show', randomUUID()), letterOf({})]
    await store.keepDeadLetter(failed)
    assert.deepEqual(await found({ status: 'open' }), [failed.actorId])
    assert.deepEqual(await found({ kind: 'show' }), [])
    assert.deepEqual(await found({ code: 'actor-paused' }), [kept.actorId])
    assert.deepEqual(await found({ ids: [kept.messageId] }), [kept.actorId])
  })

  it('end only when every commit that sets messages aside by them is through', async () => {
    await pauses.pause(shows, by)
    await database.sql`begin`
    await database.sql`select from pause for key share`
    const ending = pauses.resume(shows, by)
    await database.untilBlocked(1)
    await database.sql`commit`
    assert.equal(await ending, true)
  })

  it('that are ending while a commit relies on them let it write nothing', async () => {
    await pauses.pause(shows, by)
    const row = one(await claimed(store, 'anna', 0))
    const batch = { ...batchOf(row, {}), deadLetters: [letterOf({ code: 'actor-paused' })], pauses: [shows] }
    await database.sql`begin`
    await database.sql`delete from pause`
    const committing = store.commit(batch)
    await database.untilBlocked(1)
    await database.sql`commit`
    assert.deepEqual(await committing, { outcome: 'resumed', pauses: [shows] })
    assert.deepEqual(await found({ code: 'actor-paused' }), [])
    assert.deepEqual(await store.readPartitions([0]), [row])
  })
})

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import type { DeadLetter } from '../engine/ports.ts'
import { type OpenDatabase, openDatabase } from './database.fixtures.ts'
import type { LetterFilter, LetterSummary } from './dead-letter-records.ts'
import { type DeadLetterStore, openDeadLetters } from './dead-letter-store.ts'
import type { PostgresStore } from './postgres.ts'
import { batchOf, claimed, letterOf, one } from './store.fixtures.ts'

const author = { who: 'ada', reason: 'a try' }

describe('dead letters, as people see them', () => {
  let database: OpenDatabase
  let store: PostgresStore
  let letters: DeadLetterStore
  before(async () => {
    database = await openDatabase()
    store = await database.open()
  })
  after(() => database.close())
  beforeEach(async () => {
    await database.reset()
    await database.sql`truncate dead_letter_version`
    letters = openDeadLetters({ url: database.url, applicationName: 'test', deadlineMs: 5_000 })
  })
  afterEach(() => letters.close())

  const keep = async (given: Partial<DeadLetter>): Promise<DeadLetter> => {
    const letter = letterOf(given)
    await store.keepDeadLetter(letter)
    return letter
  }
  const found = (filter: LetterFilter, limit = 100): Promise<LetterSummary[]> =>
    letters.find(filter, 'newest first', limit)
  const summaryOf = async ({ messageId }: DeadLetter): Promise<LetterSummary> => one(await found({ ids: [messageId] }))

  it('are found by each of their sides', async () => {
    const id = randomUUID()
    const command = await keep({ kind: 'booking', actorId: id, cause: 'Sold OUT 100%' })
    const headers = { 'Actor-Kind': 'ticket' }
    const effect = await keep({ kind: 'payments', actorId: id, code: 'effect-exhausted', cause: 'reset', headers })
    await database.sql`
      update dead_letter set last_at = last_at - interval '2 hours' where message_id = ${effect.messageId}`

    const expected: [LetterFilter, DeadLetter[]][] = [
      [{}, [command, effect]],
      [{ ids: [effect.messageId, randomUUID()] }, [effect]],
      [{ kind: 'payments' }, [effect]],
      [{ actor: { id } }, [command, effect]],
      [{ actor: { kind: 'ticket', id } }, [effect]],
      [{ actor: { kind: 'booking', id } }, [command]],
      [{ code: 'effect-exhausted' }, [effect]],
      [{ error: 'out 100%' }, [command]],
      [{ error: '_' }, []],
      [{ olderThanSeconds: 3_600 }, [effect]],
      [{ newerThanSeconds: 3_600 }, [command]],
      [{ status: 'open', kind: 'booking', code: 'effect-exhausted' }, []],
      [{ status: 'requeued' }, []],
    ]
    for (const [filter, wanted] of expected) {
      const ids = (await found(filter)).map(({ messageId }) => messageId)
      assert.deepEqual(
        ids,
        wanted.map(({ messageId }) => messageId),
        JSON.stringify(filter),
      )
    }
    assert.equal((await found({}, 1)).length, 1)
  })

  it('are read whole', async () => {
    const letter = await keep({ stack: 'Error\n  at somewhere', headers: { a: 'b' } })
    const read = one(await letters.read([await summaryOf(letter)]))
    const { status, revision, attempts, firstAt, lastAt, ...rest } = read
    assert.deepEqual({ ...rest, payload: Uint8Array.from(rest.payload) }, letter)
    assert.deepEqual([status, revision, attempts, firstAt], ['open', 1, 1, lastAt])
    assert.deepEqual(await letters.read([{ partition: 1, messageId: letter.messageId }]), [])
  })

  it('are requeued, and are open again when they fail again', async () => {
    const letter = await keep({})
    assert.equal(await letters.markRequeued(await summaryOf(letter), author), 'requeued')
    assert.equal((await summaryOf(letter)).status, 'requeued')
    await store.keepDeadLetter({ ...letter, cause: 'once more' })
    const { status, attempts, cause } = await summaryOf(letter)
    assert.deepEqual([status, attempts, cause], ['open', 2, 'once more'])
  })

  it('of a batch are open again too', async () => {
    const letter = letterOf({})
    const row = one(await claimed(store, 'anna', 0))
    await store.commit({ ...batchOf(row, {}), deadLetters: [letter] })
    await letters.markRequeued(await summaryOf(letter), author)
    await store.commit({ ...batchOf({ ...row, head: 1, cursor: 1 }, {}), deadLetters: [letter] })
    assert.equal((await summaryOf(letter)).status, 'open')
  })

  it('stay open when they failed again before they were marked', async () => {
    const letter = await keep({})
    const seen = await summaryOf(letter)
    await store.keepDeadLetter(letter)
    assert.equal(await letters.markRequeued(seen, author), 'open')
    assert.equal((await summaryOf(letter)).status, 'open')
    assert.equal(one(await letters.audit(seen)).act, 'requeue')
  })

  it('are edited while they are what was looked at, and the old payload is kept', async () => {
    const letter = await keep({})
    const seen = await summaryOf(letter)
    assert.equal(await letters.edit(seen, Uint8Array.of(1, 2), author), true)
    assert.equal(await letters.edit(seen, Uint8Array.of(3), author), false)
    const read = one(await letters.read([seen]))
    assert.deepEqual([...read.payload], [1, 2])
    const { who, act, reason, before } = one(await letters.audit(seen))
    assert.deepEqual([who, act, reason, before.payload, before.revision], ['ada', 'edit', 'a try', '\\x000aff', 1])
    await letters.discard(read, author)
    assert.equal(await letters.edit(await summaryOf(letter), Uint8Array.of(3), author), false)
  })

  it('are discarded by one of two who do it at once', async () => {
    const seen = await summaryOf(await keep({}))
    const other = openDeadLetters({ url: database.url, applicationName: 'test', deadlineMs: 5_000 })
    const done = await Promise.all([letters.discard(seen, author), other.discard(seen, { who: 'bert' })])
    await other.close()
    assert.deepEqual(done.sort(), [false, true])
    assert.equal((await letters.audit(seen)).length, 1)
  })

  it('keep every act, in order', async () => {
    const letter = await keep({})
    await letters.edit(await summaryOf(letter), Uint8Array.of(1), author)
    await letters.markRequeued(await summaryOf(letter), { who: 'bert' })
    await store.keepDeadLetter(letter)
    await letters.discard(await summaryOf(letter), author)
    const audit = await letters.audit(await summaryOf(letter))
    assert.deepEqual(
      audit.map(({ act, who, reason, before }) => [act, who, reason, before.status]),
      [
        ['edit', 'ada', 'a try', 'open'],
        ['requeue', 'bert', null, 'open'],
        ['discard', 'ada', 'a try', 'open'],
      ],
    )
  })
})

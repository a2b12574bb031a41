import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { PartitionRow } from '../engine/ports.ts'
import { type OpenDatabase, openDatabase } from './database.fixtures.ts'
import type { PostgresStore } from './postgres.ts'
import { afterwards, batchOf, claimed, joined, letterOf, stream } from './store.fixtures.ts'

/** What only a real database can get wrong: statements that meet while they run. */
describe('statements that wait for each other', () => {
  let database: OpenDatabase
  let store: PostgresStore
  let rows: [PartitionRow, PartitionRow]
  before(async () => {
    database = await openDatabase()
    store = await database.open()
  })
  after(() => database.close())
  beforeEach(async () => {
    await database.reset()
    const [first, second] = await claimed(store, 'anna', 0, 1)
    assert.ok(first && second)
    rows = [first, second]
  })

  /** Runs `change` in a transaction that stays open until `whileOpen` waits for it. */
  async function during<T>(change: string, whileOpen: () => Promise<T>): Promise<T> {
    await database.sql.unsafe(`begin; ${change}`)
    const result = whileOpen()
    await database.untilBlocked(1)
    await database.sql.unsafe('commit')
    return result
  }

  it('a commit is fenced by a claim that was in flight when it began, and writes nothing', async () => {
    const batch = { ...joined(batchOf(rows[1], {}), batchOf(rows[0], {})), deadLetters: [letterOf({})] }
    const claim = `update partition set epoch = epoch + 1, owner = 'bert' where id = 0`
    const result = await during(claim, () => store.commit(batch))

    assert.deepEqual(result, { outcome: 'fenced', partitions: [0] })
    const [counts] = await database.sql`
      select (select count(*)::int from turn) as turns, (select count(*)::int from actor) as actors,
        (select count(*)::int from dead_letter) as letters`
    assert.deepEqual({ ...counts }, { turns: 0, actors: 0, letters: 0 })
    assert.deepEqual(await store.readPartitions([1]), [rows[1]])
  })

  it('a commit that waited goes on from the row as it is then', async () => {
    const batch = batchOf(rows[0], {})
    const progress = 'update partition set published = 7 where id = 0'
    assert.deepEqual(await during(progress, () => store.commit(batch)), { outcome: 'committed' })
    assert.deepEqual(await store.readPartitions([0]), [{ ...rows[0], head: 1, cursor: 1, published: 7 }])
  })

  it('a claim waits for a commit in flight, and sees what it wrote', async () => {
    await store.leave('anna')
    const commit = 'update partition set head = 3, cursor = 5 where id = 0'
    const taken = await during(commit, () => store.claim('bert', [0], stream))
    assert.deepEqual(taken, [{ ...rows[0], epoch: 2, owner: 'bert', head: 3, cursor: 5 }])
  })

  it('a claim leaves alone what another took meanwhile, though that owner looked dead when it began', async () => {
    await store.leave('anna')
    const claim = `insert into worker values ('carl', now() + interval '1 minute', 0);
      update partition set epoch = epoch + 1, owner = 'carl' where id = 0`
    assert.deepEqual(await during(claim, () => store.claim('bert', [0], stream)), [])
  })

  it('a release or progress of an epoch that a claim in flight ends is not heeded', async () => {
    const progress = [{ id: 0, epoch: rows[0].epoch, published: 9 }]
    const claim = `update partition set epoch = epoch + 1, owner = 'bert' where id = 0`
    await during(claim, () => store.release(progress))
    assert.deepEqual(await store.readPartitions([0]), [{ ...rows[0], epoch: 2, owner: 'bert' }])
  })

  it('nothing deadlocks, in whatever order partitions are named', async () => {
    const other = await database.open()
    const [third, fourth] = await claimed(other, 'bert', 2, 3)
    assert.ok(third && fourth)
    let [one, two] = rows
    for (let round = 0; round < 50; round++) {
      const batch = joined(batchOf(two, {}), batchOf(one, {}))
      const progress = [three(two), three(one), three(fourth), three(third)]
      const committed = store.commit(batch)
      await Promise.all([
        committed,
        other.commit(joined(batchOf(fourth), batchOf(third))),
        store.saveProgress(progress),
        other.saveProgress(progress.reverse()),
        other.claim('carl', [3, 1, 2, 0], stream),
      ])
      assert.deepEqual(await committed, { outcome: 'committed' })
      one = afterwards(one, batch)
      two = afterwards(two, batch)
    }
    const [row] = await database.sql`select deadlocks::int from pg_stat_database where datname = current_database()`
    assert.equal(row?.deadlocks, 0)
  })

  it('a dead letter may hold what Postgres cannot', async () => {
    const letter = letterOf({ cause: 'NUL \0 and half \ud83c a ticket', headers: { 'a\0': '\udfab' } })
    assert.deepEqual(await store.commit({ ...batchOf(rows[0]), deadLetters: [letter] }), { outcome: 'committed' })
    const [row] = await database.sql`select cause from dead_letter`
    assert.equal(row?.cause, 'NUL \ufffd and half \ufffd a ticket')
  })

  it('rejects what is no id', async () => {
    const result = await store.commit(batchOf(rows[0], { messageId: 'not-a-uuid' }))
    assert.equal(result.outcome, 'rejected')
  })

  it('does not blame the data when the schema is missing', async () => {
    await database.sql`alter table turn rename to elsewhere`
    const { outcome } = await store.commit(batchOf(rows[0], {}))
    await database.sql`alter table elsewhere rename to turn`
    assert.equal(outcome, 'unknown')
    assert.equal((await store.commit(batchOf(rows[0], {}))).outcome, 'committed')
  })
})

const three = ({ id, epoch, published }: PartitionRow) => ({ id, epoch, published })

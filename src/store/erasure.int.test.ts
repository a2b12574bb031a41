import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { type OpenDatabase, openDatabase } from './database.fixtures.ts'
import { type ErasableTable, type ErasureStore, openErasure } from './erasure.ts'
import { openRebuild } from './projections.ts'
import { afterwards, batchOf, claimed, one } from './store.fixtures.ts'

const options = { applicationName: 'test erasure', deadlineMs: 5_000 }
const id = '00000000-0000-4000-8000-00000000000a'

describe('what an erasure writes', () => {
  let database: OpenDatabase
  let erasure: ErasureStore
  before(async () => {
    database = await openDatabase()
  })
  after(() => database.close())
  beforeEach(async () => {
    await database.reset()
    erasure = openErasure({ url: database.url, ...options })
  })
  afterEach(() => erasure.close())

  const table = async (name: string): Promise<ErasableTable> =>
    one((await erasure.tables()).filter((one) => one.name === name))

  it('may be in every table but the audit log, those of states first', async () => {
    const names = (await erasure.tables()).map(({ name }) => name)
    assert.equal(names[0], 'actor')
    for (const name of ['turn', 'dead_letter', 'dead_letter_version', 'tickets', 'failing_call', 'worker'])
      assert.ok(names.includes(name), name)
    for (const name of ['audit', 'audit_head', 'migration']) assert.ok(!names.includes(name), name)
  })

  it('takes a partition from the worker whose memory it makes wrong', async () => {
    const store = await database.open()
    const row = one(await claimed(store, 'anna', 0))
    const batch = batchOf(row, { actorId: id })
    await store.commit({
      ...batch,
      states: batch.states.map((state) => ({ ...state, state: { email: 'Kate@example.com' } })),
    })
    const actors = await table('actor')
    const [found] = await erasure.find({ ...actors, blocks: 1 }, 'kate@EXAMPLE.com', 0, 1_000)
    assert.ok(found)
    const state = actors.columns.findIndex(({ name }) => name === 'state')
    assert.deepEqual(JSON.parse(found.values[state] ?? ''), { email: 'Kate@example.com' })
    const erased = { ...found, values: found.values.with(state, '{"email":"nobody"}') }
    assert.equal(await erasure.replace(actors, [erased]), 1)
    assert.deepEqual(one(await database.sql`select state from actor`).state, { email: 'nobody' })
    const late = batchOf(afterwards(row, batch), { actorId: id, version: 2 })
    assert.deepEqual(await store.commit(late), { outcome: 'fenced', partitions: [0] })
    assert.equal(one(await store.readPartitions([0])).owner, null)
    // Somebody was faster: the row is another one by now.
    assert.equal(await erasure.replace(actors, [erased]), 0)
    assert.equal(one(await store.readPartitions([0])).epoch, row.epoch + 1)
  })

  it('is no row that was changed since it was read', async () => {
    await database.sql`insert into tickets values (0, 'ticket', ${id}, '{"customer_email": "kate@example.com"}')`
    const tickets = await table('tickets')
    const found = await erasure.find(tickets, 'kate@example.com', 0, 1_000)
    await database.sql`update tickets set fields = '{"customer_email": "kate@example.com", "price": 2}'`
    assert.equal(await erasure.replace(tickets, found), 0)
    assert.equal(await erasure.replace(tickets, await erasure.find(tickets, 'kate@example.com', 0, 1_000)), 1)
  })

  it('keeps rebuilds away, and gives way to one that is under way', async () => {
    assert.ok(await erasure.keepRebuildsAway(['tickets', 'shows']))
    const rebuild = openRebuild({ url: database.url, ...options })
    assert.equal(await rebuild.begin('shows'), false)
    assert.ok(await rebuild.begin('bookings'))
    assert.equal(await erasure.keepRebuildsAway(['bookings']), false)
    await rebuild.close()
  })
})

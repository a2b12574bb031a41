import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import type { PartitionRow } from '../engine/ports.ts'
import type { LiveProjections } from '../engine/read-model-ports.ts'
import { type OpenDatabase, openDatabase, until } from './database.fixtures.ts'
import type { PostgresStore } from './postgres.ts'
import { openLiveProjections } from './projections.ts'
import { openRedrives } from './redrive.ts'
import { afterwards, batchOf, claimed, one } from './store.fixtures.ts'

const engineTables = ['partition', 'worker', 'turn', 'actor', 'dead_letter', 'request_key', 'projection']
const readModels = ['tickets', 'shows', 'bookings', 'ops_bookings']

/**
 * The planner's trap: statements that are prepared while the tables are empty, and run when they are large and nobody has
 * counted them yet. What was read is counted by Postgres itself.
 */
describe('with 200,000 actors that were never analyzed', () => {
  let database: OpenDatabase
  let store: PostgresStore
  let projections: LiveProjections
  let redrives: ReturnType<typeof openRedrives>
  let row: PartitionRow
  const actorId = randomUUID()
  const hotShow = randomUUID()
  /** Has a quarter of all bookings. */
  const showOfMany = createHash('md5').update('1').digest('hex')
  let moved = 0
  const hotKeys = Array.from({ length: 20 }, (_, i) => {
    const messageId = createHash('md5')
      .update(`hot${i + 1}`)
      .digest('hex')
    return { partition: 2, kind: 'show', id: hotShow, messageId }
  })

  before(async () => {
    database = await openDatabase()
    const { sql } = database
    for (const table of [...engineTables, ...readModels])
      await sql.unsafe(`alter table ${table} set (autovacuum_enabled = off)`)
    // Tells the planner for sure that they are empty.
    await sql.unsafe('vacuum analyze')
    store = await database.open()
    projections = openLiveProjections({ url: database.url, applicationName: 'test', deadlineMs: 5_000 })
    await projections.enroll(readModels)
    redrives = openRedrives({ url: database.url, applicationName: 'redrive', deadlineMs: 5_000 })
    await useAll()
    await sql`
      insert into actor (partition, kind, id, version, state, wake_at)
      select i % 4, 'booking', md5(i::text)::uuid, 1, '{"status":"open"}', now() + i * interval '1 second'
      from generate_series(1, 200000) as i`
    await sql`
      insert into turn
      select 1, 1000 + i, 'booking', md5(i::text)::uuid, 1, md5(i::text)::uuid, now(), '{}', '{}', '{}'
      from generate_series(1, 200000) as i`
    await sql`
      insert into request_key
      select md5(i::text)::uuid, '', now() - i * interval '1 minute' from generate_series(1, 200000) as i`
    await sql`
      insert into dead_letter (partition, message_id, kind, actor_id, type, code, cause, payload, headers, meta, at, attempts,
        first_at, last_at, status)
      select 1, md5(i::text)::uuid, 'booking', i, 'Book', 'turn-threw', '', '', '{}', '{}', now(), 1, now(), now(), 'discarded'
      from generate_series(1, 20000) as i`
    for (const table of readModels)
      await sql`
        insert into ${sql(table)} (partition, kind, id, fields)
        select i % 4, case when i % 2 = 0 then kind else 'ticket' end, md5(i::text)::uuid, json_build_object(
          'show_id', md5((i % 4)::text)::uuid, 'booking_id', md5((i / 2 * 2)::text)::uuid,
          'receipt_issued_at', '2026-12-0' || i % 7 || 'T00:00:00Z')
        from generate_series(1, 200000) as i,
          (select case ${table} when 'tickets' then 'ticket' when 'shows' then 'show' else 'booking' end as kind) as of_table`
    // Half are requests that were answered at once, half no requests at all: none has its reply further on.
    await sql`
      insert into turn
      select 2, i, 'show', ${hotShow}, i, md5('hot' || i)::uuid, now(), '{}',
        json_build_object('requestId', md5(case when i % 2 = 0 then 'hot' else 'asked' end || i)::uuid),
        case when i % 2 = 0 then json '{"reply":{"ok":{}}}' else json '{}' end
      from generate_series(1, 2000) as i`
  })
  after(async () => {
    await projections.close()
    await database.close()
  })

  /** Every statement that the engine sends, and some of them often enough for a plan to be settled. */
  async function useAll(): Promise<void> {
    row ??= one(await claimed(store, 'anna', 0))
    for (let round = 0; round < 8; round++) {
      const version = row.head + 1
      const batch = batchOf(row, { actorId, version, messageId: randomUUID() })
      batch.disarmed = [{ partition: 0, kind: 'booking', id: randomUUID() }]
      assert.deepEqual(await store.commit(batch), { outcome: 'committed' })
      row = afterwards(row, batch)
      await store.dueAlarms([0, 1, 2, 3], 100)
      await store.load(addresses)
      await store.lastIds([0, 1, 2, 3], ['booking', 'show', 'ticket'])
      await store.findTurns(batch.turns.map((turn) => ({ ...turn, id: turn.actorId })))
      await store.findTurns(hotKeys)
      await redrives.findTakers([...hotKeys, ...batch.turns.map((turn) => ({ ...turn, id: turn.actorId }))])
      await redrives.readJournal(0, row.head - 1, 10)
      await redrives.orders([0, 1, 2, 3])
      await store.readStreams()
      await store.noteStream('events', { id: 'e', lastSequence: round }, undefined)
      await store.readJournal(0, row.head - 1, 10)
      await store.saveProgress([row])
      await store.readPartitions([0])
      await store.heartbeat('anna', 10_000, 0)
      await store.reads.claimKey(randomUUID(), 'digest')
      await store.reads.census()
      assert.equal((await store.feed.heads())[0], row.head)
      const tails = [0, 1, 2, 3].map((partition) => ({ partition, after: partition === 0 ? row.head - 1 : 1_000_000 }))
      assert.equal((await store.feed.turnsAfter(tails, 50)).length, 1)
      const listened = [...addresses, { partition: 0, kind: 'booking', id: actorId }]
      assert.deepEqual(
        await store.feed.turnsOf(
          listened.map((one) => ({ ...one, after: row.head })),
          50,
        ),
        [],
      )
      assert.equal(
        (
          await store.feed.turnsOf(
            listened.map((one) => ({ ...one, after: row.head - 1 })),
            50,
          )
        ).length,
        1,
      )
      await useReadModels()
    }
  }

  /** What the projector and the lists send, each over a few rows. */
  async function useReadModels(): Promise<void> {
    const after = { partition: 1, id: hotShow }
    const { readModels: lists } = store
    await lists.tickets({ after, limit: 10 })
    await lists.shows({ after, limit: 10 })
    await lists.bookingsOf(showOfMany, { after, limit: 10 })
    const parts = await lists.opsBookings({ after: hotShow, limit: 10, receiptDay: undefined })
    await lists.opsBookings({ after: hotShow, limit: 10, receiptDay: '2026-12-03' })
    await lists.opsBooking(parts[0]?.bookingId ?? hotShow)
    await projections.lags(readModels)
    await projections.readEvents([{ partition: 0, after: row.head - 1, upTo: row.head }], ['booking', 'show'])
    const changes = readModels.map((name) => {
      const key = { partition: 0, kind: 'ticket', id: randomUUID() }
      const fields = { show_id: hotShow, booking_id: randomUUID() }
      return { name, moves: [{ partition: 0, after: moved, upTo: moved + 1 }], put: [{ ...key, fields }], gone: [key] }
    })
    for (const { name, gone } of changes) await projections.loadRows(name, gone)
    assert.ok(await projections.write(changes.map((change) => ({ ...change, gone: [] }))))
    moved += 1
    assert.ok(await projections.write(changes.map((change) => ({ ...change, moves: [], put: [] }))))
  }

  const addresses = Array.from({ length: 100 }, () => ({ partition: 0, kind: 'booking', id: randomUUID() }))

  async function scans(table: string): Promise<{ lookups: number; scanned: number; fetched: number }> {
    const [counts] = await database.sql<{ lookups: number; scanned: number; fetched: number }[]>`
      select idx_scan::int as lookups, seq_tup_read::int as scanned, idx_tup_fetch::int as fetched
      from pg_stat_user_tables where relname = ${table}`
    assert.ok(counts)
    return counts
  }

  it('every statement looks up what it needs, and reads nothing else', async () => {
    const tables = ['partition', 'turn', 'actor', 'dead_letter', 'request_key', 'projection', ...readModels]
    const earlier = new Map(await Promise.all(tables.map(async (name) => [name, await scans(name)] as const)))
    await useAll()
    // A backend hands in its counts within a second or so of its last statement, and at its end.
    await Promise.all([store.close(), projections.close(), redrives.close()])
    await until(async () => (await scans('actor')).lookups >= Number(earlier.get('actor')?.lookups) + 800)
    await until(async () => (await scans('ops_bookings')).lookups > Number(earlier.get('ops_bookings')?.lookups))
    for (const name of tables) {
      const { scanned, fetched } = await scans(name)
      const before = earlier.get(name)
      assert.equal(scanned, before?.scanned, `${name} was scanned`)
      assert.ok(fetched - Number(before?.fetched) < 2_000, `${name}: ${fetched - Number(before?.fetched)} rows`)
    }
  })
})

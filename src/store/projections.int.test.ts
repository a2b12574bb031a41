import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it, test } from 'node:test'
import type { Changes, ReadRow } from '../engine/read-model-ports.ts'
import { type OpenDatabase, openDatabase, until } from './database.fixtures.ts'
import type { PostgresStore } from './postgres.ts'
import { changes, projectionFeatures, row } from './projections.features.ts'
import { openLiveProjections, openRebuild } from './projections.ts'
import { batchOf, claimed, joined } from './store.fixtures.ts'

/** What read models are made of in Postgres. What is folded into them is tested in `projections/`. */

let database: OpenDatabase
let store: PostgresStore
let open: { close(): Promise<void> }[] = []
before(async () => {
  database = await openDatabase()
  store = await database.open()
})
after(() => database.close())
beforeEach(() => database.reset())
afterEach(async () => {
  await Promise.all(open.map((one) => one.close()))
  open = []
})

function opened<T extends { close(): Promise<void> }>(one: T): T {
  open.push(one)
  return one
}
const options = () => ({ url: database.url, applicationName: 'test', deadlineMs: 5_000 })
const live = () => opened(openLiveProjections(options()))
const rebuilding = () => opened(openRebuild(options()))

projectionFeatures('Postgres', async () => ({
  store,
  open: live,
  endLead: async () => {
    await database.sql`
      select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'
      and database = (select oid from pg_database where datname = current_database())`
  },
  close: async () => {},
}))

test('how far read models are counts all partitions', async () => {
  const projections = live()
  const [first, second] = await claimed(store, 'anna', 0, 1)
  assert.ok(first && second)
  await store.commit(joined(batchOf(first, {}, {}), batchOf(second, {})))
  await projections.enroll(['tickets', 'shows'])
  await projections.write([changes({ moves: [{ partition: 0, after: 0, upTo: 1 }] })])
  assert.deepEqual(await rebuilding().standings(), [
    { name: 'shows', turns: 0, lag: 3 },
    { name: 'tickets', turns: 1, lag: 2 },
  ])
})

describe('a rebuild', () => {
  const held = row(0, { n: 1 })
  const twin = (given: Partial<Changes>) => changes({ name: 'tickets_rebuild', ...given })

  it('is done by one at a time', async () => {
    const [one, other] = [rebuilding(), rebuilding()]
    assert.ok(await one.begin('tickets'))
    assert.equal(await other.begin('tickets'), false)
    assert.ok(await other.begin('shows'))
  })

  it('takes the place of what was there, with its positions', async () => {
    const projections = live()
    await projections.enroll(['tickets'])
    await projections.write([changes({ moves: [{ partition: 0, after: 0, upTo: 3 }], put: [held] })])
    const rebuild = rebuilding()
    await rebuild.begin('tickets')
    assert.equal(await rebuild.swap('tickets'), false, 'it is behind')
    const fresh = row(0, { n: 2 })
    await rebuild.write([twin({ moves: [{ partition: 0, after: 0, upTo: 4 }], put: [fresh] })])
    assert.deepEqual(await store.readModels.tickets({ after: undefined, limit: 9 }), [held])
    assert.ok(await rebuild.swap('tickets'))
    assert.deepEqual(await store.readModels.tickets({ after: undefined, limit: 9 }), [fresh])
    assert.equal(await projections.write([changes({ moves: [{ partition: 0, after: 3, upTo: 4 }] })]), false)
    assert.ok(await projections.write([changes({ moves: [{ partition: 0, after: 4, upTo: 5 }], put: [held] })]))
  })

  it('makes tables and indexes as they were, however often', async () => {
    const shape = () => database.sql`
      select (select string_agg(pg_get_indexdef(indexrelid, 0, true), E'\n' order by indkey::text) from pg_index
          where indrelid = 'ops_bookings'::regclass)::text as indexes, reloptions,
        (select string_agg(concat(attname, attgenerated, attnotnull), ' ' order by attnum) from pg_attribute
          where attrelid = 'ops_bookings'::regclass and attnum > 0) as columns
      from pg_class where oid = 'ops_bookings'::regclass`
    const [before] = await shape()
    await live().enroll(['ops_bookings'])
    const rebuild = rebuilding()
    for (let i = 0; i < 3; i++) {
      await rebuild.begin('ops_bookings')
      assert.ok(await rebuild.swap('ops_bookings'))
    }
    const [then] = await shape()
    const withoutNames = (text: string) => text.replaceAll(/INDEX \S+/g, 'INDEX')
    assert.equal(withoutNames(then?.indexes), withoutNames(before?.indexes))
    assert.match(then?.indexes, /receipt_day/)
    assert.deepEqual([then?.reloptions, then?.columns], [before?.reloptions, before?.columns])
  })

  it('starts over after one that was given up', async () => {
    const projections = live()
    await projections.enroll(['tickets'])
    const first = openRebuild(options())
    await first.begin('tickets')
    await first.write([twin({ moves: [{ partition: 0, after: 0, upTo: 4 }], put: [held] })])
    await first.close()
    const second = rebuilding()
    await until(() => second.begin('tickets'))
    assert.deepEqual(await second.loadRows('tickets_rebuild', [held]), [])
    assert.ok(await second.swap('tickets'))
  })

  it('does not wait for a reader that does not end, and holds nobody up', async () => {
    const projections = live()
    await projections.enroll(['tickets'])
    const rebuild = rebuilding()
    await rebuild.begin('tickets')
    await database.sql.unsafe('begin; select from tickets')
    assert.equal(await rebuild.swap('tickets'), false)
    assert.deepEqual(await store.readModels.tickets({ after: undefined, limit: 9 }), [])
    await database.sql.unsafe('commit')
    assert.ok(await rebuild.swap('tickets'))
  })
})

describe('what the ingress reads', () => {
  const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
  const put = async (name: string, rows: ReadRow[]) => assert.ok(await live().write([changes({ name, put: rows })]))

  it('comes in pages, in the order of the keys', async () => {
    const rows = [3, 0, 1, 0, 2].map((partition, n) => ({ partition, kind: 'show', id: id(n), fields: { n } }))
    await put('shows', rows)
    const sorted = [1, 3, 2, 4, 0].map((n) => rows[n])
    assert.deepEqual(await store.readModels.shows({ after: undefined, limit: 9 }), sorted)
    assert.deepEqual(await store.readModels.shows({ after: sorted[1], limit: 2 }), sorted.slice(2, 4))
  })

  it('is the bookings of one show', async () => {
    const rows = [0, 1, 1, 2].map((partition, n) => {
      return { partition, kind: 'booking', id: id(n), fields: { show_id: id(n === 1 ? 9 : 8) } }
    })
    await put('bookings', rows)
    const { readModels } = store
    assert.deepEqual(await readModels.bookingsOf(id(8), { after: undefined, limit: 2 }), [rows[0], rows[2]])
    assert.deepEqual(await readModels.bookingsOf(id(8), { after: rows[2], limit: 2 }), [rows[3]])
    assert.deepEqual(await readModels.bookingsOf(id(7), { after: undefined, limit: 2 }), [])
  })

  it('is the parts of ops bookings, by id and by the day of a receipt', async () => {
    const part = (kind: string, n: number, booking: number, receipt?: string) => {
      const fields = { booking_id: id(booking), ...(receipt && { receipt_issued_at: receipt }) }
      return { partition: n % 4, kind, id: id(n), fields }
    }
    const rows = [
      part('booking', 1, 1),
      part('ticket', 11, 1, '2026-12-01T23:59:59.999Z'),
      part('ticket', 12, 1, '2026-12-01T00:00:00.000Z'),
      part('booking', 2, 2),
      part('ticket', 13, 2, '0001-01-01T00:00:00Z'),
      part('ticket', 14, 3, '2026-12-01T12:00:00.000Z'),
      part('booking', 4, 4),
      part('ticket', 15, 4, '2026-12-02T00:00:00.000Z'),
    ]
    await put('ops_bookings', rows)
    const { readModels } = store
    const ids = async (page: Partial<Parameters<typeof readModels.opsBookings>[0]>) => {
      const found = await readModels.opsBookings({ after: undefined, receiptDay: undefined, limit: 9, ...page })
      return found.map((part) => Number(part.id.slice(-2)))
    }
    assert.deepEqual((await ids({})).sort(), [1, 11, 12, 13, 14, 15, 2, 4].sort())
    assert.deepEqual((await ids({ limit: 1 })).sort(), [1, 11, 12])
    assert.deepEqual((await ids({ after: id(1), limit: 1 })).sort(), [13, 2])
    assert.deepEqual((await ids({ receiptDay: '2026-12-01' })).sort(), [1, 11, 12, 14])
    assert.deepEqual(await ids({ receiptDay: '2026-12-01', after: id(1) }), [14])
    assert.deepEqual(await ids({ receiptDay: '0001-01-01' }), [])
    const parts = await readModels.opsBooking(id(2))
    assert.deepEqual(parts.map(({ kind }) => kind).sort(), ['booking', 'ticket'])
    assert.equal(parts[0]?.bookingId, id(2))
    assert.deepEqual(await readModels.opsBooking(id(99)), [])
  })
})

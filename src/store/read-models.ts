import type { Cursor, OpsRow, Page, ReadModels, ReadRow } from '../engine/read-model-ports.ts'
import type { Sql } from './connection.ts'
import type { Database } from './database.ts'

/** What the ingress reads: pages by key, so that the last of a million rows costs no more than the first. */
export const openReadModels = (database: Database): ReadModels => ({
  tickets: (page) => database.run('read', (sql) => pageOf(sql, 'tickets', 'ticket', page)),
  shows: (page) => database.run('read', (sql) => pageOf(sql, 'shows', 'show', page)),
  bookingsOf: (showId, page) => database.run('read', (sql) => bookingsOf(sql, showId, page)),
  opsBooking: (bookingId) =>
    database.run('read', (sql) => opsRowsOf(sql, sql`select ${bookingId}::uuid as booking_id`)),
  opsBookings: ({ after = noId, limit, receiptDay }) =>
    database.run('read', (sql) => {
      const ids = receiptDay === undefined ? bookingsAfter(sql, after, limit) : issuedOn(sql, receiptDay, after, limit)
      return opsRowsOf(sql, ids)
    }),
})

const noId = '00000000-0000-0000-0000-000000000000'
const beginning: Cursor = { partition: -1, id: noId }

/** All rows of such a table are of one kind, so the key is in the order of partition and id. */
const pageOf = (sql: Sql, table: string, kind: string, { after = beginning, limit }: Page) => sql<ReadRow[]>`
  select partition, kind, id, fields from ${sql(table)}
  where (partition, kind, id) > (${after.partition}::int, ${kind}, ${after.id}::uuid)
  order by partition, kind, id
  limit ${limit}::int`

const bookingsOf = (sql: Sql, showId: string, { after = beginning, limit }: Page) => sql<ReadRow[]>`
  select partition, kind, id, fields from bookings
  where show_id = ${showId}::uuid and (partition, id) > (${after.partition}::int, ${after.id}::uuid)
  order by partition, id
  limit ${limit}::int`

type Ids = ReturnType<typeof bookingsAfter>

/**
 * Bookings that are known by their tickets alone are among them: a condition on the kind would make other indexes look as
 * good to the planner while the table is empty.
 */
const bookingsAfter = (sql: Sql, after: string, limit: number) => sql`
  select distinct booking_id from ops_bookings
  where booking_id > ${after}::uuid
  order by booking_id
  limit ${limit}::int`

const issuedOn = (sql: Sql, day: string, after: string, limit: number) => sql`
  select distinct booking_id from ops_bookings
  where receipt_day = ${day} and booking_id > ${after}::uuid
  order by booking_id
  limit ${limit}::int`

/** A lookup for each booking. `offset 0` keeps the planner from doing them before the bookings are in order. */
const opsRowsOf = (sql: Sql, ids: Ids) => sql<OpsRow[]>`
  select part.booking_id as "bookingId", part.kind, part.id, part.fields
  from (${ids}) as wanted
  cross join lateral (
    select * from ops_bookings where ops_bookings.booking_id = wanted.booking_id offset 0
  ) as part
  order by part.booking_id, part.kind, part.id`

import { randomUUID } from 'node:crypto'
import type postgres from 'postgres'
import { partitionOf } from '../../src/actor/ids.ts'

/** Few enough for a parameter, and many enough that a statement does not count. */
const actorsAtATime = 10_000

/**
 * Fills the tables as years would: with bookings, each with its journal and its places in the read models. All are like the
 * one that is there already, but for their ids. The unique index is made when all is there:
 * by sorting, and not by a search for each row.
 */
export async function fillTables(
  sql: postgres.Sql,
  { turns, actors }: { turns: number; actors: number },
): Promise<void> {
  const turnsEach = Math.round(turns / actors)
  const [place] = await sql<{ partitions: number }[]>`select count(*)::int as partitions from partition`
  const heads = await readHeads(sql)
  await sql`
    create temporary table example_turn as
    select row_number() over (order by position) - 1 as index, count(*) over () as count, at, message, meta, decision
    from turn where kind = 'booking'`
  await sql`
    create temporary table example as
    select actor.state, bookings.fields as booking, ops_bookings.fields as ops_booking
    from actor join bookings using (id) join ops_bookings using (id)`
  await sql`alter table turn drop constraint turn_message`
  for (let done = 0; done < actors; done += actorsAtATime) {
    const rows = Array.from({ length: Math.min(actorsAtATime, actors - done) }, () => {
      const id = randomUUID()
      const partition = partitionOf(id, place?.partitions ?? 0)
      const head = heads.get(partition) ?? 0
      heads.set(partition, head + turnsEach)
      return { id, partition, head }
    })
    await insertBookings(sql, rows, turnsEach)
  }
  await sql`set maintenance_work_mem = '1GB'`
  await sql`alter table turn add constraint turn_message unique (partition, actor_id, kind, message_id)`
  await moveOn(sql)
  // What would come some time, and into the measured time.
  await sql`vacuum (freeze, analyze)`
  await sql`checkpoint`
}

async function readHeads(sql: postgres.Sql): Promise<Map<number, number>> {
  const rows = await sql<{ id: number; head: string }[]>`select id, head from partition`
  return new Map(rows.map(({ id, head }) => [id, Number(head)]))
}

type Row = { id: string; partition: number; head: number }

/** Their turns are those of the booking that was there, over and over. */
async function insertBookings(sql: postgres.Sql, rows: Row[], turnsEach: number): Promise<void> {
  await sql`
    with wanted as (
      select * from json_to_recordset(${JSON.stringify(rows)}::text::json) as wanted(id uuid, partition int, head bigint)
    ), journal as (
      insert into turn (partition, position, kind, actor_id, version, message_id, at, message, meta, decision)
      select partition, head + nth, 'booking', id, nth, gen_random_uuid(), at, message, meta, decision
      from wanted cross join generate_series(1, ${turnsEach}::int) as nth
      join example_turn on example_turn.index = nth % example_turn.count
    ), models as (
      insert into bookings (partition, kind, id, fields)
      select partition, 'booking', id, booking from wanted, example
    ), ops_models as (
      insert into ops_bookings (partition, kind, id, fields)
      select partition, 'booking', id, (ops_booking::jsonb || jsonb_build_object('booking_id', id))::json from wanted, example
    )
    insert into actor (partition, kind, id, version, state)
    select partition, 'booking', id, ${turnsEach}::int, state from wanted, example`
}

/** The partitions and the read models have come as far as the journal. */
async function moveOn(sql: postgres.Sql): Promise<void> {
  await sql`
    update partition set head = last.position, published = last.position
    from (select partition, max(position) as position from turn group by partition) as last
    where last.partition = partition.id`
  await sql`
    update projection set position = partition.head
    from partition where partition.id = projection.partition`
}

import type { Address, DueAlarm, Wake } from '../engine/ports.ts'
import type { Sql } from './connection.ts'
import type { Database } from './database.ts'
import { placesOf } from './reads.ts'

export async function dueAlarms(database: Database, partitions: number[], limit: number): Promise<DueAlarm[]> {
  const rows = await database.run('lease', (sql) => alarmsDue(sql, partitions, limit))
  return rows.map(({ wake_at, wake_meta, now, ...actor }) => {
    return { ...actor, ...wake_meta, at: wake_at.toISOString(), nowMs: now.getTime() }
  })
}

type Row = Address & { partition: number; wake_at: Date; wake_meta: Omit<Wake, 'at'>; now: Date }

/**
 * One lookup in the index for each partition, which ends at the first alarm that is not due: with a million that are set it
 * costs what it costs with none. `now()` and not `clock_timestamp()`: an index is not asked for what may change meanwhile.
 */
const alarmsDue = (sql: Sql, partitions: number[], limit: number) => sql<Row[]>`
  select due.*, now() as now
  from unnest(string_to_array(${partitions.join('\n')}, chr(10))::int[]) as owned(id)
  cross join lateral (
    select partition, kind, id, wake_at, wake_meta from actor
    where actor.partition = owned.id and wake_at <= now()
    order by wake_at
    limit ${limit}::int
  ) as due
  order by wake_at
  limit ${limit}::int`

/** A part of the commit statement, for a batch in which an alarm could not be dealt with. */
export const takeAlarmsOff = (sql: Sql, actors: (Address & { partition: number })[]) => sql`, disarmed as (
    update actor set wake_at = null, wake_meta = null
    where ctid = any (array(${placesOf(sql, actors)})) and (select is_open from fence)
  )`

import type { Census } from '../engine/ports.ts'
import type { Sql } from './connection.ts'
import type { Database } from './database.ts'

/** What waits for somebody, in all processes together. Each part is counted in an index, or in a table that is small. */
export async function census(database: Database): Promise<Census> {
  const [row] = await database.run('read', (sql) => count(sql))
  return row ?? { workers: 0, unowned: 0, openLetters: [], failingCalls: [] }
}

const count = (sql: Sql) => sql<Census[]>`
  with alive as (select id from worker where lease_until >= clock_timestamp()),
  -- By the key: in the table there are many more versions of a row than rows.
  in_order as materialized (select owner from partition order by id),
  letters as (select code, count(*) as count from dead_letter where status = 'open' group by code),
  failing as (select service, count(*) as count from failing_call group by service)
  select
    (select count(*) from alive) as workers,
    (select count(*) from in_order where (owner in (select id from alive)) is not true) as unowned,
    (select coalesce(json_agg(letters order by code), '[]') from letters) as "openLetters",
    (select coalesce(json_agg(failing order by service), '[]') from failing) as "failingCalls"`

import type { Claim } from '../engine/ports.ts'
import type { Sql } from './connection.ts'
import type { Database } from './database.ts'

type Row = { digest: string; is_new: boolean }

/** The ids of requests that no single actor could know again: docs/decisions/0006-keys-of-batches-are-claimed.md. */
export async function claimKey(database: Database, id: string, digest: string, repeatDays: number): Promise<Claim> {
  const [row] = (await database.run('read', (sql) => claim(sql, id, digest, repeatDays))) as [Row]
  return { digest: row.digest, isNew: row.is_new }
}

/**
 * The update changes nothing: it makes the statement return the row of whoever was first, also of one who was so only
 * meanwhile, whom a select beside `do nothing` would not see. A row that was not there before has no `xmax`. Each claim takes two old rows along, so the table cannot
 * outgrow what so many days hold, and nobody else needs to sweep it; whoever else is at them is let go first. As an array, the
 * two are looked up; as a set, the plan of an empty table would look at every row there is.
 */
const claim = (sql: Sql, id: string, digest: string, repeatDays: number) => sql<Row[]>`
  with gone as (
    delete from request_key where id = any (array(
      select id from request_key
      where claimed_at < now() - ${repeatDays}::int * interval '1 day' and id <> ${id}::uuid
      order by claimed_at
      limit 2
      for update skip locked
    ))
  )
  insert into request_key (id, digest, claimed_at) values (${id}::uuid, ${digest}, now())
  on conflict (id) do update set digest = request_key.digest
  returning digest, xmax = 0 as is_new`

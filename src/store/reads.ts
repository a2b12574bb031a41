import type { Address, StoredActor, Wake } from '../engine/ports.ts'
import type { Sql } from './connection.ts'
import type { Database } from './database.ts'
import { lines } from './encode.ts'

type Located = Address & { partition: number }

type WakeColumns = { wake_at: Date | null; wake_meta: Omit<Wake, 'at'> }
type ActorRow = Omit<StoredActor, 'wake'> & WakeColumns

/**
 * One lookup in the primary key for each that exists among these. `limit 1` keeps the planner from turning the lookups
 * into one join, whose plan would depend on statistics.
 */
export const foundAmong = (sql: Sql, addresses: Located[]) => sql`
  unnest(
    string_to_array(${lines(addresses, (address) => address.partition)}, chr(10))::int[],
    string_to_array(${lines(addresses, (address) => address.kind)}, chr(10)),
    string_to_array(${lines(addresses, (address) => address.id)}, chr(10))::uuid[]
  ) as wanted(partition, kind, id)
  cross join lateral (
    select ctid, * from actor
    where actor.partition = wanted.partition and actor.kind = wanted.kind and actor.id = wanted.id
    limit 1
  ) as actor`

/** Where their rows are, for a statement that changes them. */
export const placesOf = (sql: Sql, addresses: Located[]) => sql`select actor.ctid from ${foundAmong(sql, addresses)}`

export const actorsAt = (sql: Sql, addresses: Located[]) => sql<ActorRow[]>`
  select actor.partition, actor.kind, actor.id, actor.version, actor.state, actor.wake_at, actor.wake_meta
  from ${foundAmong(sql, addresses)}`

/** One lookup at the end of the primary key's stretch for each partition and kind. */
export const lastIds = (database: Database, partitions: number[], kinds: string[]): Promise<Located[]> =>
  database.run(
    'lease',
    (sql) => sql<Located[]>`
    select actor.partition, actor.kind, actor.id
    from unnest(string_to_array(${partitions.join('\n')}, chr(10))::int[]) as owned(id)
    cross join string_to_table(${kinds.join('\n')}, chr(10)) as wanted(kind)
    cross join lateral (
      select partition, kind, id from actor
      where actor.partition = owned.id and actor.kind = wanted.kind
      order by partition desc, kind desc, id desc
      limit 1
    ) as actor`,
  )

export async function load(database: Database, addresses: Located[]): Promise<StoredActor[]> {
  const rows = await database.run('read', (sql) => actorsAt(sql, addresses))
  return rows.map(withWake)
}

export function withWake({ wake_at, wake_meta, ...actor }: ActorRow): StoredActor {
  return wake_at ? { ...actor, wake: { ...wake_meta, at: wake_at.toISOString() } } : actor
}

export async function actor(database: Database, address: Located): Promise<StoredActor | undefined> {
  return (await load(database, [address]))[0]
}

/** The live workers and what waits in their mailboxes, by their last heartbeats. */
export async function health(database: Database): Promise<{ lag: number; workers: number }> {
  const [row] = await database.run('read', (sql) => liveWorkers(sql))
  return row ?? { lag: 0, workers: 0 }
}

const liveWorkers = (sql: Sql) => sql<{ lag: number; workers: number }[]>`
  select coalesce(sum(lag), 0)::bigint as lag, count(*) as workers from worker where lease_until >= clock_timestamp()`

import type { Address, StoredActor } from '../engine/ports.ts'
import type { Sql } from './connection.ts'
import type { Database } from './database.ts'
import { lines } from './encode.ts'

type Located = Address & { partition: number }

/**
 * The actors that exist among these: one lookup in the primary key for each. `limit 1` keeps the planner from turning the
 * lookups into one join, whose plan would depend on statistics.
 */
export const actorsAt = (sql: Sql, addresses: Located[]) => sql<StoredActor[]>`
  select actor.partition, actor.kind, actor.id, actor.version, actor.state
  from unnest(
    string_to_array(${lines(addresses, (address) => address.partition)}, chr(10))::int[],
    string_to_array(${lines(addresses, (address) => address.kind)}, chr(10)),
    string_to_array(${lines(addresses, (address) => address.id)}, chr(10))::uuid[]
  ) as wanted(partition, kind, id)
  cross join lateral (
    select * from actor
    where actor.partition = wanted.partition and actor.kind = wanted.kind and actor.id = wanted.id
    limit 1
  ) as actor`

export const load = (database: Database, addresses: Located[]): Promise<StoredActor[]> =>
  database.run('read', (sql) => actorsAt(sql, addresses))

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

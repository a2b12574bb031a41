import type { Address, TurnEvents } from '../engine/ports.ts'
import type { Sql } from './connection.ts'
import type { Database } from './database.ts'
import { lines } from './encode.ts'

type SeenPartition = { partition: number; after: number }
type SeenActor = Address & SeenPartition
type Located = Address & { partition: number }
type Row = Omit<TurnEvents, 'at' | 'events' | 'publishes'> & {
  at: Date
  events: TurnEvents['events'] | null
  publishes: TurnEvents['publishes'] | null
}

/** Every event that anybody listens to comes out of the journal here, as it was said then. */
const eventsOf = ({ at, events, publishes, ...turn }: Row): TurnEvents => {
  return { ...turn, at: at.toISOString(), events: events ?? [], publishes: publishes ?? [] }
}

export async function heads(database: Database): Promise<number[]> {
  const rows = await database.run('listen', (sql) => sql<{ head: number }[]>`select head from partition order by id`)
  return rows.map(({ head }) => head)
}

export async function archivedUpTo(database: Database): Promise<number[]> {
  const rows = await database.run(
    'listen',
    (sql) => sql<{ last: number }[]>`
      select coalesce((
        select max(last_position) from archive_file where archive_file.partition = partition.id
      ), 0) as last from partition order by id`,
  )
  return rows.map(({ last }) => last)
}

export async function archivedOf(database: Database, { partition, kind, id }: Located): Promise<number> {
  const [row] = await database.run(
    'listen',
    (sql) => sql<{ version: number }[]>`
      select coalesce(archived_version, 0) as version from actor
      where partition = ${partition}::int and kind = ${kind} and id = ${id}::uuid`,
  )
  return row?.version ?? 0
}

export async function turnsAfter(database: Database, seen: SeenPartition[], limit: number): Promise<TurnEvents[]> {
  return (await database.run('listen', (sql) => ofPartitions(sql, seen, limit))).map(eventsOf)
}

export async function turnsOf(database: Database, seen: SeenActor[], limit: number): Promise<TurnEvents[]> {
  return (await database.run('listen', (sql) => ofActors(sql, seen, limit))).map(eventsOf)
}

const columns = (sql: Sql) => sql`
  turn.partition, turn.position, turn.kind, turn.actor_id as "actorId", turn.version, turn.message_id as "messageId",
  turn.at, turn.decision -> 'events' as events, turn.decision -> 'publishes' as publishes`

/** A partition without news costs one look at the end of its journal. */
const ofPartitions = (sql: Sql, seen: SeenPartition[], limit: number) => sql<Row[]>`
  select ${columns(sql)}
  from unnest(
    string_to_array(${lines(seen, (row) => row.partition)}, chr(10))::int[],
    string_to_array(${lines(seen, (row) => row.after)}, chr(10))::bigint[]
  ) as seen(partition, after)
  cross join lateral (
    select * from turn
    where turn.partition = seen.partition and turn.position > seen.after
    order by turn.position
    limit ${limit}::int
  ) as turn
  order by turn.partition, turn.position`

/** An actor without news costs a look at its version. One with news has all its turns read: a booking has a handful of them. */
const ofActors = (sql: Sql, seen: SeenActor[], limit: number) => sql<Row[]>`
  select ${columns(sql)}
  from unnest(
    string_to_array(${lines(seen, (row) => row.partition)}, chr(10))::int[],
    string_to_array(${lines(seen, (row) => row.kind)}, chr(10)),
    string_to_array(${lines(seen, (row) => row.id)}, chr(10))::uuid[],
    string_to_array(${lines(seen, (row) => row.after)}, chr(10))::bigint[]
  ) as seen(partition, kind, id, after)
  cross join lateral (
    select from actor
    where actor.partition = seen.partition and actor.kind = seen.kind and actor.id = seen.id and actor.version > seen.after
    limit 1
  ) as news
  cross join lateral (
    select * from turn
    where turn.partition = seen.partition and turn.actor_id = seen.id and turn.kind = seen.kind
      and turn.version > seen.after
    order by turn.version
    limit ${limit}::int
  ) as turn
  order by turn.version`

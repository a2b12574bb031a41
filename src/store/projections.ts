import type postgres from 'postgres'
import type {
  Changes,
  JournaledEvents,
  Lag,
  LiveProjections,
  ProjectionStore,
  ReadRow,
  RebuildStore,
  RowKey,
  Standing,
  Stretch,
} from '../engine/read-model-ports.ts'
import { filesOf, toFile } from './archive.ts'
import { Connection, type ConnectionOptions, type Query, type Sql } from './connection.ts'
import { json, lines } from './encode.ts'
import { archiveLock, projectorLock, rebuildLocks } from './locks.ts'

/**
 * For the projector, on a connection of its own. The lock that makes it lead is the connection's: with a new one it has to
 * be won again. Two that both believe to lead do no harm, because every write demands the positions that it was made for.
 */
export function openLiveProjections(options: ConnectionOptions): LiveProjections {
  let connection = new Connection(options)
  let isLeading = false
  const run = <Row extends object>(query: Query<Row>): Promise<Row[]> => {
    if (connection.isBroken) {
      connection = new Connection(options)
      isLeading = false
    }
    return connection.run(query)
  }
  return {
    ...projectionStore(run),
    async lead() {
      if (isLeading && !connection.isBroken) return true
      const [row] = await run((sql) => sql<Held[]>`select pg_try_advisory_lock(${projectorLock}::bigint) as held`)
      isLeading = row?.held === true
      return isLeading
    },
    async enroll(names) {
      await run((sql) => enroll(sql, names))
    },
    close: () => connection.close(),
  }
}

/** For one rebuild. When its connection breaks everything fails, and the next rebuild starts over. */
export function openRebuild(options: ConnectionOptions): RebuildStore {
  const connection = new Connection(options)
  return {
    ...projectionStore((query) => connection.run(query)),
    async begin(name) {
      if (!(await tryRebuildLock((query) => connection.run(query), name))) return false
      // What is archived while it is read would be missing.
      const [archive] = await connection.run(
        (sql) => sql<Held[]>`select pg_try_advisory_lock_shared(${archiveLock}::bigint) as held`,
      )
      if (archive?.held !== true) return false
      await connection.run((sql) => sql`select begin_rebuild(${name})`)
      return true
    },
    archiveFiles: async () => (await connection.run((sql) => filesOf(sql, null))).map(toFile),
    async swap(name) {
      const [row] = await connection.run((sql) => sql<{ done: boolean }[]>`select swap_rebuilt(${name}) as done`)
      return row?.done === true
    },
    standings: () => connection.run((sql) => standings(sql)),
    close: () => connection.close(),
  }
}

type Held = { held: boolean }
type Run = <Row extends object>(query: Query<Row>) => Promise<Row[]>

/** Held by whoever rebuilds a read model, or must not have it rebuilt, for the life of the connection. */
export async function tryRebuildLock(run: Run, name: string): Promise<boolean> {
  const [row] = await run(
    (sql) => sql<Held[]>`select pg_try_advisory_lock(${rebuildLocks}::int, hashtext(${name})) as held`,
  )
  return row?.held === true
}

const projectionStore = (run: Run): ProjectionStore => ({
  lags: (names) => run((sql) => lags(sql, names)),
  async readEvents(stretches, kinds) {
    const turns = await run((sql) => eventsOf(sql, stretches, kinds))
    return turns.map((turn) => ({ ...turn, at: turn.at.toISOString() }))
  },
  loadRows: (name, keys) => run((sql) => rowsAt(sql, name, keys)),
  async write(changes) {
    const [row] = await run((sql) => writeChanges(sql, changes))
    return row?.isOpen === true
  },
})

const enroll = (sql: Sql, names: string[]) => sql`
  insert into projection (partition, name, position)
  select partition.id, name, 0 from partition cross join string_to_table(${names.join('\n')}, chr(10)) as name
  on conflict do nothing`

const lags = (sql: Sql, names: string[]) => sql<Lag[]>`
  select projection.name, projection.partition, projection.position, partition.head
  from partition
  cross join lateral (
    select * from projection
    where projection.partition = partition.id and projection.position < partition.head
    offset 0
  ) as projection
  where projection.name = any (string_to_array(${names.join('\n')}, chr(10)))
  order by partition.id`

const standings = (sql: Sql) => sql<Standing[]>`
  select projection.name, sum(projection.position)::bigint as turns, sum(partition.head - projection.position)::bigint as lag
  from partition join projection on projection.partition = partition.id
  group by projection.name
  order by projection.name`

const eventsOf = (sql: Sql, stretches: Stretch[], kinds: string[]) => sql<
  (Omit<JournaledEvents, 'at'> & { at: Date })[]
>`
  select turn.partition, turn.position, turn.kind, turn.actor_id as "actorId", turn.version, turn.at, turn.events
  from unnest(
    string_to_array(${lines(stretches, (stretch) => stretch.partition)}, chr(10))::int[],
    string_to_array(${lines(stretches, (stretch) => stretch.after)}, chr(10))::bigint[],
    string_to_array(${lines(stretches, (stretch) => stretch.upTo)}, chr(10))::bigint[]
  ) as stretch(partition, after, up_to)
  cross join lateral (
    select partition, position, kind, actor_id, version, at, decision -> 'events' as events from turn
    where turn.partition = stretch.partition and turn.position > stretch.after and turn.position <= stretch.up_to
      and turn.kind = any (string_to_array(${kinds.join('\n')}, chr(10)))
    order by position
    offset 0
  ) as turn
  where turn.events is not null`

/**
 * Looks for the first row that is not before the one that is wanted, because only the primary key can answer that. For three
 * equalities an empty table's plan may as well skip through an index that begins with something else.
 */
export const rowsAt = (sql: Sql, name: string, keys: RowKey[]) => sql<ReadRow[]>`
  select row.partition, row.kind, row.id, row.fields
  from unnest(
    string_to_array(${lines(keys, (key) => key.partition)}, chr(10))::int[],
    string_to_array(${lines(keys, (key) => key.kind)}, chr(10)),
    string_to_array(${lines(keys, (key) => key.id)}, chr(10))::uuid[]
  ) as wanted(partition, kind, id)
  cross join lateral (
    select * from ${sql(name)}
    where (partition, kind, id) >= (wanted.partition, wanted.kind, wanted.id)
    order by partition, kind, id
    limit 1
  ) as row
  where row.partition = wanted.partition and row.kind = wanted.kind and row.id = wanted.id`

/**
 * `held` locks the positions, in the order of `moves` like everybody, and compares them with the rows as they are then. Every
 * row is found by a lookup, whatever the planner thinks of the tables: as a join, the delete read all rows there are.
 */
const writeChanges = (sql: Sql, changes: Changes[]) => {
  const moves = changes.flatMap(({ name, moves }) => moves.map((move) => ({ name, ...move })))
  moves.sort((a, b) => a.partition - b.partition || (a.name < b.name ? -1 : 1))
  return sql<{ isOpen: boolean }[]>`
  with expected as (
    select * from unnest(
      string_to_array(${lines(moves, (move) => move.partition)}, chr(10))::int[],
      string_to_array(${lines(moves, (move) => move.name)}, chr(10)),
      string_to_array(${lines(moves, (move) => move.after)}, chr(10))::bigint[],
      string_to_array(${lines(moves, (move) => move.upTo)}, chr(10))::bigint[]
    ) as expected(partition, name, position, up_to)
  ), held as materialized (
    select expected.*
    from expected
    cross join lateral (
      select from projection
      where projection.partition = expected.partition
        and projection.name = expected.name
        and projection.position = expected.position
      limit 1
      for update
    ) as row
  ), fence as (
    select (select count(*) from held) = (select count(*) from expected) as is_open
  ), moved as (
    insert into projection (partition, name, position)
    select partition, name, up_to from held
    where (select is_open from fence)
    on conflict (partition, name) do update set position = excluded.position
  )${changes.map((change) => writeRows(sql, change))}
  select is_open as "isOpen" from fence`
}

const writeRows = (sql: Sql, { name, put, gone }: Changes): postgres.PendingQuery<postgres.Row[]> => sql`
  , ${sql(`put_${name}`)} as (
    insert into ${sql(name)} (partition, kind, id, fields)
    select * from unnest(
      string_to_array(${lines(put, (row) => row.partition)}, chr(10))::int[],
      string_to_array(${lines(put, (row) => row.kind)}, chr(10)),
      string_to_array(${lines(put, (row) => row.id)}, chr(10))::uuid[],
      string_to_array(${lines(put, (row) => json(row.fields))}, chr(10))::json[]
    )
    where (select is_open from fence)
    on conflict (partition, kind, id) do update set fields = excluded.fields
  ), ${sql(`gone_${name}`)} as (
    delete from ${sql(name)} where ctid = any (array(
      select row.ctid
      from unnest(
        string_to_array(${lines(gone, (row) => row.partition)}, chr(10))::int[],
        string_to_array(${lines(gone, (row) => row.kind)}, chr(10)),
        string_to_array(${lines(gone, (row) => row.id)}, chr(10))::uuid[]
      ) as gone(partition, kind, id)
      cross join lateral (
        select ctid, partition, kind, id from ${sql(name)}
        where (partition, kind, id) >= (gone.partition, gone.kind, gone.id)
        order by partition, kind, id
        limit 1
      ) as row
      where row.partition = gone.partition and row.kind = gone.kind and row.id = gone.id and (select is_open from fence)
    ))
  )`

import type { Cluster, PartitionRow, StreamState } from '../engine/ports.ts'
import type { Sql } from './connection.ts'
import type { Database } from './database.ts'
import { lines } from './encode.ts'
import { pausesAsJson } from './pauses.ts'

type Progress = { id: number; epoch: number; published: number }

/**
 * The ways to hold partitions. All times are the database's: clocks of workers are never compared. Every statement locks
 * the partitions' rows in the order of their ids, as the commit does, so that none can deadlock with another.
 */

export async function heartbeat(database: Database, worker: string, leaseMs: number, lag: number): Promise<Cluster> {
  const beat = database.run('lease', (sql) => renewLease(sql, worker, leaseMs, lag))
  const standing = database.run('lease', (sql) => readCluster(sql))
  const [, [cluster]] = await Promise.all([beat, standing])
  const { workers = [], partitions = [], pauses = [] } = cluster ?? {}
  return { workers: workers.sort(), partitions, pauses }
}

/** Rows of workers that are long gone go too; whoever else is at it is let go first. */
const renewLease = (sql: Sql, worker: string, leaseMs: number, lag: number) => sql`
  with gone as (
    delete from worker where id in (
      select id from worker where lease_until < now() - interval '10 minutes' and id <> ${worker} for update skip locked
    )
  )
  insert into worker (id, lease_until, lag)
  values (${worker}, clock_timestamp() + ${leaseMs}::int * interval '1 millisecond', ${lag}::bigint)
  on conflict (id) do update set lease_until = excluded.lease_until, lag = excluded.lag`

const readCluster = (sql: Sql) => sql<Cluster[]>`
  with alive as (select id from worker where lease_until >= clock_timestamp())
  select
    (select coalesce(json_agg(id), '[]') from alive) as workers,
    (select coalesce(json_agg(json_build_object('id', id, 'epoch', epoch, 'owner', owner,
        'ownerIsAlive', owner in (select id from alive) is true) order by id), '[]') from partition) as partitions,
    ${pausesAsJson(sql)} as pauses`

export const claim = (
  database: Database,
  worker: string,
  partitions: number[],
  stream: StreamState,
): Promise<PartitionRow[]> => database.run('lease', (sql) => takeFree(sql, worker, partitions, stream))

/**
 * A partition that was claimed by another between this statement's beginning and its lock has another epoch than `seen`,
 * and is left alone: whether its owner lives could not be told from the snapshot.
 */
const takeFree = (sql: Sql, worker: string, partitions: number[], stream: StreamState) => sql<PartitionRow[]>`
  with wanted as (
    select * from unnest(string_to_array(${partitions.join('\n')}, chr(10))::int[]) as wanted(id)
  ), seen as materialized (
    select partition.id, epoch
    from partition join wanted on partition.id = wanted.id
    where owner is null
      or owner = ${worker}
      or not exists (select from worker where worker.id = owner and lease_until >= clock_timestamp())
  ), free as (
    select partition.id
    from seen join partition on partition.id = seen.id and partition.epoch = seen.epoch
    order by partition.id
    for update of partition
  )
  update partition
  set owner = ${worker}, epoch = partition.epoch + 1, stream = ${stream.id},
    cursor = case when stream = ${stream.id} and cursor <= ${stream.lastSequence}::bigint then cursor else 0 end
  from free
  where partition.id = free.id
  returning partition.id, epoch, owner, cursor, stream, head, published, armed`

export async function release(database: Database, partitions: Progress[]): Promise<void> {
  await database.run('lease', (sql) => noteProgress(sql, partitions, true))
}

export async function saveProgress(database: Database, partitions: Progress[]): Promise<void> {
  await database.run('lease', (sql) => noteProgress(sql, partitions, false))
}

const noteProgress = (sql: Sql, partitions: Progress[], isRelease: boolean) => sql`
  with held as (
    select given.*
    from unnest(
      string_to_array(${lines(partitions, (row) => row.id)}, chr(10))::int[],
      string_to_array(${lines(partitions, (row) => row.epoch)}, chr(10))::int[],
      string_to_array(${lines(partitions, (row) => row.published)}, chr(10))::bigint[]
    ) as given(id, epoch, published)
    join partition on partition.id = given.id and partition.epoch = given.epoch
    order by partition.id
    for update of partition
  )
  update partition
  set published = greatest(partition.published, held.published),
    owner = case when ${isRelease} then null else owner end
  from held
  where partition.id = held.id`

/** With its row gone, everything the worker held is free. */
export async function leave(database: Database, worker: string): Promise<void> {
  await database.run('lease', (sql) => sql`delete from worker where id = ${worker}`)
}

export const readPartitions = (database: Database, ids: number[]): Promise<PartitionRow[]> =>
  database.run('lease', (sql) => rowsOf(sql, ids))

const rowsOf = (sql: Sql, ids: number[]) => sql<PartitionRow[]>`
  select partition.id, epoch, owner, cursor, stream, head, published, armed
  from unnest(string_to_array(${ids.join('\n')}, chr(10))::int[]) as wanted(id)
  join partition on partition.id = wanted.id
  order by partition.id`

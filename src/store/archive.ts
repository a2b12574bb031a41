import type { ArchiveFile, ArchiveMark } from '../engine/archive-ports.ts'
import type { Address, TurnRecord } from '../engine/ports.ts'
import type { RedriveStore } from '../engine/redrive-ports.ts'
import { Connection, type ConnectionOptions, type Sql } from './connection.ts'
import { json, lines } from './encode.ts'
import { readJournal } from './journal.ts'
import { archiveLock } from './locks.ts'
import { noteSettled, takersOf } from './redrive.ts'

/** How far the journal of a partition may be archived. */
export type Reach = {
  partition: number
  /** All of it is told to the broker, and in every read model. */
  upTo: number
  published: number
  settled: number
}

/** An actor with old turns, as it stands now. */
export type Resident = Address & {
  state: unknown
  /** So many of its first turns are archived. */
  archived: number
  /** It waits for a time, or has a dead letter that somebody is to decide about. */
  isWaiting: boolean
}

/** A turn as far as one has to know it to find old ones. */
export type TurnPlace = Address & { position: number; at: string }

/** What an archiver reads and writes. Everything rejects with `database-unavailable`, for good once it does. */
export interface ArchiveStore extends Pick<RedriveStore, 'readJournal' | 'findTakers' | 'noteSettled'> {
  /** @returns false when somebody else archives, or rebuilds a read model; else nobody does until it is closed */
  begin(): Promise<boolean>
  reaches(): Promise<Reach[]>
  files(): Promise<ArchiveFile[]>
  /** A stretch of the journal: positions from `after + 1` on, at most `limit`. */
  places(partition: number, after: number, upTo: number, limit: number): Promise<TurnPlace[]>
  /** Those of the actors that exist. */
  residents(partition: number, addresses: Address[]): Promise<Resident[]>
  /** The turns of these actors behind those versions, actor by actor as they are given, each in the order of its versions. */
  turnsOf(partition: number, actors: (Address & { after: number })[], limit: number): Promise<TurnRecord[]>
  /** From now on the file has its turns, and the journal need not. */
  record(file: ArchiveFile): Promise<void>
  /** From now on the turns of the one are in the other. */
  replace(file: ArchiveFile, by: ArchiveFile): Promise<void>
  /** Notes of whom turns are archived. Before any of them goes. */
  mark(partition: number, marks: Omit<ArchiveMark, 'partition'>[]): Promise<void>
  /** Takes turns out of the journal. */
  remove(partition: number, positions: number[]): Promise<void>
  noteDropped(file: ArchiveFile): Promise<void>
  close(): Promise<void>
}

/** On one connection with one life: the lock is the connection's. */
export function openArchiveStore(options: ConnectionOptions): ArchiveStore {
  const connection = new Connection(options)
  const run: Connection['run'] = (query) => connection.run(query)
  return {
    async begin() {
      const [row] = await run(
        (sql) => sql<{ held: boolean }[]>`select pg_try_advisory_lock(${archiveLock}::bigint) as held`,
      )
      return row?.held === true
    },
    reaches: () => run(reaches),
    files: () => run((sql) => filesOf(sql, null)).then((rows) => rows.map(toFile)),
    async places(partition, after, upTo, limit) {
      const rows = await run((sql) => placesIn(sql, partition, after, upTo, limit))
      return rows.map((row) => ({ ...row, at: row.at.toISOString() }))
    },
    residents: (partition, addresses) => run((sql) => residentsAt(sql, partition, addresses)),
    async turnsOf(partition, actors, limit) {
      const rows = await run((sql) => turnsBehind(sql, partition, actors, limit))
      return rows.map((row) => ({ ...row, at: row.at.toISOString() }))
    },
    record: async (file) => void (await run((sql) => insertFile(sql, file))),
    replace: async (file, by) => void (await run((sql) => replaceFile(sql, file, by))),
    mark: async (partition, marks) => void (await run((sql) => markActors(sql, partition, marks))),
    remove: async (partition, positions) => void (await run((sql) => removeTurns(sql, partition, positions))),
    noteDropped: async ({ partition, name }) =>
      void (await run(
        (sql) => sql`update archive_file set is_dropped = true where partition = ${partition}::int and name = ${name}`,
      )),
    readJournal: (partition, after, limit) => readJournal({ run: (_, query) => run(query) }, partition, after, limit),
    findTakers: (keys) => run((sql) => takersOf(sql, keys)),
    noteSettled: async (partition, settled) => void (await run((sql) => noteSettled(sql, partition, settled))),
    close: () => connection.close(),
  }
}

/** As long as no read model has begun, one that begins later needs all of the journal. */
const reaches = (sql: Sql) => sql<Reach[]>`
  select id as partition, published, coalesce(settled, 0) as settled, least(published, coalesce((
    select min(position) from projection where projection.partition = id and name not like '%\\_rebuild'
  ), 0)) as "upTo"
  from partition left join redrive on redrive.partition = id
  order by id`

type FileRow = Omit<ArchiveFile, 'settledBefore'> & { settledBefore: Date }

export const toFile = (row: FileRow): ArchiveFile => ({ ...row, settledBefore: row.settledBefore.toISOString() })

/** Of one partition, or of all; in the order in which they were written. */
export const filesOf = (sql: Sql, partition: number | null) => sql<FileRow[]>`
  select partition, name, folder, turns, first_actor as "firstActor", last_actor as "lastActor",
    last_position as "lastPosition", sha256, blocks, settled_before as "settledBefore", is_dropped as "isDropped"
  from archive_file
  where partition = coalesce(${partition}::int, partition)
  order by partition, name`

const placesIn = (sql: Sql, partition: number, after: number, upTo: number, limit: number) => sql<
  (Omit<TurnPlace, 'at'> & { at: Date })[]
>`
  select position, kind, actor_id as id, at from turn
  where partition = ${partition}::int and position > ${after}::bigint and position <= ${upTo}::bigint
  order by position
  limit ${limit}::int`

const residentsAt = (sql: Sql, partition: number, addresses: Address[]) => sql<Resident[]>`
  select actor.kind, actor.id, actor.state, coalesce(actor.archived_version, 0) as archived,
    actor.wake_at is not null or letter.is_open is true as "isWaiting"
  from unnest(
    string_to_array(${lines(addresses, ({ kind }) => kind)}, chr(10)),
    string_to_array(${lines(addresses, ({ id }) => id)}, chr(10))::uuid[]
  ) as wanted(kind, id)
  cross join lateral (
    select * from actor
    where actor.partition = ${partition}::int and actor.kind = wanted.kind and actor.id = wanted.id
    limit 1
  ) as actor
  left join lateral (
    select true as is_open from dead_letter
    where dead_letter.partition = ${partition}::int and dead_letter.recipient = md5(wanted.kind || ' ' || wanted.id)
      and dead_letter.status = 'open'
    limit 1
  ) as letter on true`

type TurnRow = Omit<TurnRecord, 'at'> & { at: Date }

/** The limit is that of all together: what comes behind it is not even looked for. */
const turnsBehind = (sql: Sql, partition: number, actors: (Address & { after: number })[], limit: number) => sql<
  TurnRow[]
>`
  select turn.partition, turn.position, turn.kind, turn.actor_id as "actorId", turn.version,
    turn.message_id as "messageId", turn.at, turn.message, turn.meta, turn.decision
  from unnest(
    string_to_array(${lines(actors, ({ kind }) => kind)}, chr(10)),
    string_to_array(${lines(actors, ({ id }) => id)}, chr(10))::uuid[],
    string_to_array(${lines(actors, ({ after }) => after)}, chr(10))::bigint[]
  ) as wanted(kind, id, after)
  cross join lateral (
    select * from turn
    where turn.partition = ${partition}::int and turn.actor_id = wanted.id and turn.kind = wanted.kind
      and turn.version > wanted.after
    order by turn.version
    limit ${limit}::int
  ) as turn
  limit ${limit}::int`

const insertFile = (sql: Sql, file: ArchiveFile) => sql`
  insert into archive_file (partition, name, folder, turns, first_actor, last_actor, last_position, sha256, blocks,
    settled_before)
  values (${file.partition}::int, ${file.name}, ${file.folder}, ${file.turns}::int, ${file.firstActor}::uuid,
    ${file.lastActor}::uuid, ${file.lastPosition}::bigint, ${file.sha256}, ${json(file.blocks)}::text::json,
    ${file.settledBefore}::timestamptz)
  on conflict do nothing`

const replaceFile = (sql: Sql, { partition, name }: ArchiveFile, by: ArchiveFile) => sql`
  update archive_file set name = ${by.name}, sha256 = ${by.sha256}, blocks = ${json(by.blocks)}::text::json
  where partition = ${partition}::int and name = ${name}`

/**
 * Locks the partition first, like every statement that writes to several of its actors, so that none can deadlock with
 * another; that is why the turns go by another statement, which takes longer. By their keys and not by their places: a commit
 * may have moved a row while this waited for the lock.
 */
const markActors = (sql: Sql, partition: number, marks: Omit<ArchiveMark, 'partition'>[]) => sql`
  with held as materialized (
    select id from partition where id = ${partition}::int for update
  )
  update actor
  set archived_version = greatest(archived_version, mark.version), archived_before = greatest(archived_before, mark.before)
  from unnest(
    string_to_array(${lines(marks, ({ kind }) => kind)}, chr(10)),
    string_to_array(${lines(marks, ({ id }) => id)}, chr(10))::uuid[],
    string_to_array(${lines(marks, ({ version }) => version)}, chr(10))::bigint[],
    string_to_array(${lines(marks, ({ before }) => before)}, chr(10))::timestamptz[]
  ) as mark(kind, id, version, before)
  where actor.partition = ${partition}::int and actor.kind = mark.kind and actor.id = mark.id
    and exists (select from held)`

const removeTurns = (sql: Sql, partition: number, positions: number[]) => sql`
  delete from turn
  where partition = ${partition}::int
    and position = any (string_to_array(${positions.join('\n')}, chr(10))::bigint[])`

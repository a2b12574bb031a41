import type { Commit, CommitResult, Pause, Wake } from '../engine/ports.ts'
import { takeAlarmsOff } from './alarms.ts'
import type { Sql } from './connection.ts'
import type { Database } from './database.ts'
import { documentOf, keepLetters } from './dead-letters.ts'
import { json, lines, none } from './encode.ts'
import { isRefusedData, sqlState } from './errors.ts'
import { endedPauses, holdPauses } from './pauses.ts'

/** Writes a batch, all of it or nothing. Never throws. */
export async function commit(database: Database, batch: Commit): Promise<CommitResult> {
  let columns: Columns
  try {
    columns = toColumns(batch)
  } catch (error) {
    return { outcome: 'rejected', error: error as Error }
  }
  try {
    const missing = await database.run('commit', (sql) => writeBatch(sql, columns))
    return missing.length === 0 ? { outcome: 'committed' } : refusal(missing)
  } catch (error) {
    return failure(error as Error)
  }
}

function refusal(missing: Missing[]): CommitResult {
  const partitions = missing.flatMap(({ id }) => id ?? [])
  if (partitions.length > 0) return { outcome: 'fenced', partitions }
  return { outcome: 'resumed', pauses: missing.flatMap(({ pause }) => pause ?? []) }
}

function failure(error: Error): CommitResult {
  const isSecondTurn =
    sqlState(error) === '23505' && 'constraint_name' in error && error.constraint_name === 'turn_message'
  if (isSecondTurn) return { outcome: 'duplicate' }
  return { outcome: isRefusedData(error) ? 'rejected' : 'unknown', error }
}

type Columns = ReturnType<typeof toColumns>

/** What the commit demands and does not find. */
type Missing = { id: number | null; pause: Pause | null }

function toColumns({ partitions, turns, states, deadLetters, disarmed, pauses }: Commit) {
  return {
    partitions: {
      id: lines(partitions, (row) => row.id),
      epoch: lines(partitions, (row) => row.epoch),
      head: lines(partitions, (row) => row.head),
      turns: lines(partitions, (row) => row.turns),
      from: lines(partitions, (row) => row.from),
      cursor: lines(partitions, (row) => row.cursor),
      published: lines(partitions, (row) => row.published),
      armed: lines(partitions, (row) => row.armed),
    },
    turns: {
      partition: lines(turns, (turn) => turn.partition),
      position: lines(turns, (turn) => turn.position),
      kind: lines(turns, (turn) => turn.kind),
      actorId: lines(turns, (turn) => turn.actorId),
      version: lines(turns, (turn) => turn.version),
      messageId: lines(turns, (turn) => turn.messageId),
      at: lines(turns, (turn) => turn.at),
      message: lines(turns, (turn) => json(turn.message)),
      meta: lines(turns, (turn) => json(turn.meta)),
      decision: lines(turns, (turn) => json(turn.decision)),
    },
    states: {
      partition: lines(states, (state) => state.partition),
      kind: lines(states, (state) => state.kind),
      id: lines(states, (state) => state.id),
      version: lines(states, (state) => state.version),
      state: lines(states, (state) => json(state.state)),
      wakeAt: lines(states, ({ wake }) => wake?.at ?? none),
      wakeMeta: lines(states, ({ wake }) => (wake ? metaOf(wake) : none)),
    },
    deadLetters: deadLetters.length > 0 ? documentOf(deadLetters) : undefined,
    disarmed,
    pauses,
  }
}

function metaOf({ at: _, ...meta }: Wake): string {
  return json(meta)
}

/**
 * The one statement. It answers with the partitions that are not ours, or not where we think they are, and the pauses that
 * have ended; and then it has written nothing.
 *
 * `held` locks the partitions, in the order of their ids like every other statement, and waits for whoever has them. Then it
 * compares epoch, head and cursor with the rows as they are now, not as they were when the statement began. `for update` keeps
 * Postgres from evaluating it more than once, and everything that writes asks `fence` first.
 *
 * Each column is unnested on its own, in step with the others: as one `from unnest(a, b, …)` every value would go by way of a
 * tuple store, which costs a twentieth of the statement.
 */
const writeBatch = (sql: Sql, { partitions, turns, states, deadLetters, disarmed, pauses }: Columns) => sql<Missing[]>`
  with expected as (
    select
      unnest(string_to_array(${partitions.id}, chr(10))::int[]) as id,
      unnest(string_to_array(${partitions.epoch}, chr(10))::int[]) as epoch,
      unnest(string_to_array(${partitions.head}, chr(10))::bigint[]) as head,
      unnest(string_to_array(${partitions.turns}, chr(10))::int[]) as turns,
      unnest(string_to_array(${partitions.from}, chr(10))::bigint[]) as cursor_before,
      unnest(string_to_array(${partitions.cursor}, chr(10))::bigint[]) as cursor,
      unnest(string_to_array(${partitions.published}, chr(10))::bigint[]) as published,
      unnest(string_to_array(${partitions.armed}, chr(10))::int[]) as armed
  ), held as (
    select expected.*
    from expected
    join partition on partition.id = expected.id
      and partition.epoch = expected.epoch
      and partition.head = expected.head
      and partition.cursor = expected.cursor_before
    order by partition.id
    for update of partition
  ), ${pauses.length > 0 ? holdPauses(sql, pauses) : sql``}fence as (
    select (select count(*) from held) = (select count(*) from expected)
      ${pauses.length > 0 ? sql`and (select count(*) from standing) = (select count(*) from relied_on)` : sql``} as is_open
  ), advance as (
    update partition
    set head = partition.head + held.turns,
      cursor = held.cursor,
      published = greatest(partition.published, held.published),
      armed = partition.armed + held.armed
    from held
    where partition.id = held.id and (select is_open from fence)
  ), journal as (
    insert into turn (partition, position, kind, actor_id, version, message_id, at, message, meta, decision)
    select
      unnest(string_to_array(${turns.partition}, chr(10))::int[]),
      unnest(string_to_array(${turns.position}, chr(10))::bigint[]),
      unnest(string_to_array(${turns.kind}, chr(10))),
      unnest(string_to_array(${turns.actorId}, chr(10))::uuid[]),
      unnest(string_to_array(${turns.version}, chr(10))::bigint[]),
      unnest(string_to_array(${turns.messageId}, chr(10))::uuid[]),
      unnest(string_to_array(${turns.at}, chr(10))::timestamptz[]),
      unnest(string_to_array(${turns.message}, chr(10))::json[]),
      unnest(string_to_array(${turns.meta}, chr(10))::json[]),
      unnest(string_to_array(${turns.decision}, chr(10))::json[])
    where (select is_open from fence)
  ), states as (
    insert into actor (partition, kind, id, version, state, wake_at, wake_meta)
    select
      unnest(string_to_array(${states.partition}, chr(10))::int[]),
      unnest(string_to_array(${states.kind}, chr(10))),
      unnest(string_to_array(${states.id}, chr(10))::uuid[]),
      unnest(string_to_array(${states.version}, chr(10))::bigint[]),
      unnest(string_to_array(${states.state}, chr(10))::json[]),
      unnest(string_to_array(${states.wakeAt}, chr(10), ${none})::timestamptz[]),
      unnest(string_to_array(${states.wakeMeta}, chr(10), ${none})::json[])
    where (select is_open from fence)
    on conflict (partition, kind, id) do update
    -- Versions only rise. The null breaks the column's constraint, and with it the commit.
    set version = case when excluded.version > actor.version then excluded.version end, state = excluded.state,
      wake_at = excluded.wake_at, wake_meta = excluded.wake_meta
  )${disarmed.length > 0 ? takeAlarmsOff(sql, disarmed) : sql``}${deadLetters ? keepLetters(sql, deadLetters) : sql``}
  select id, null::json as pause from expected where id not in (select id from held)
  ${pauses.length > 0 ? endedPauses(sql) : sql``}
  order by id`

import type { StreamMark, StreamName, StreamState } from '../engine/ports.ts'
import type { Sql } from './connection.ts'
import type { Database } from './database.ts'

/** How long an ordered redrive waits: what was about to be told when the broker came back is told by then. */
const settleMs = 5_000

/** The cursors know how far the mailbox stream was without anybody's look. */
export const readStreams = (database: Database): Promise<StreamMark[]> =>
  database.run(
    'lease',
    (sql) => sql<StreamMark[]>`
      select name, id, losses, greatest(last_sequence, case when name = 'mailbox' then passed end) as "lastSequence"
      from broker_stream
      left join lateral (
        select max(cursor) as passed from (
          select cursor from partition where stream = broker_stream.id order by partition.id
        ) as reached
      ) as reached on true`,
  )

export async function noteStream(
  database: Database,
  name: StreamName,
  { id, lastSequence }: StreamState,
  seen: StreamMark | undefined,
): Promise<void> {
  await database.run(
    'lease',
    (sql) => sql`
      insert into broker_stream as known (name, id, last_sequence) values (${name}, ${id}, ${lastSequence}::bigint)
      on conflict (name) do update set last_sequence = excluded.last_sequence
      where known.id = excluded.id and known.losses = ${seen?.losses ?? 0}::int
        and known.last_sequence < excluded.last_sequence`,
  )
}

export async function noteLoss(
  database: Database,
  seen: StreamMark,
  now: StreamState,
  eventsKeptMs: number | undefined,
): Promise<boolean> {
  const noted = await database.run('lease', (sql) => orderRedrives(sql, seen, now, eventsKeptMs ?? null))
  return noted.length > 0
}

/**
 * One statement, so that no loss is noted without its redrives. All partitions are locked before their heads are read: what
 * a worker could still have told to the lost stream is in the journal up to there.
 *
 * A mailbox that ends earlier gives its sequences a second time, so no cursor means anything in it. The epochs rise with
 * them, for their owners read from cursors of their own.
 */
const orderRedrives = (sql: Sql, { name, losses }: StreamMark, now: StreamState, eventsKeptMs: number | null) => sql`
  with lost as (
    update broker_stream set id = ${now.id}, last_sequence = ${now.lastSequence}::bigint, losses = losses + 1
    where name = ${name} and losses = ${losses}::int
    returning name
  ), held as (
    select id, head from partition where exists (select from lost) order by id for update
  ), freed as (
    update partition set owner = null, epoch = epoch + 1, cursor = 0
    from held where partition.id = held.id and ${name === 'mailbox'}
  ), ordered as (
    insert into redrive (partition, up_to, events_since, round, due_at)
    select id, head, clock_timestamp() - ${eventsKeptMs}::bigint * interval '1 millisecond', 1,
      clock_timestamp() + ${settleMs}::int * interval '1 millisecond'
    from held
    on conflict (partition) do update
    set position = null, up_to = excluded.up_to, round = redrive.round + 1, due_at = excluded.due_at,
      events_since = least(redrive.events_since, excluded.events_since)
  )
  select name from lost`

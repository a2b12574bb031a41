import type { RedriveOrder, RedriveStore, Standing, Taker, TakerKey } from '../engine/redrive-ports.ts'
import type { ConnectionOptions, Sql } from './connection.ts'
import { Database } from './database.ts'
import { lines } from './encode.ts'
import { readJournal } from './journal.ts'

/** What redrives read and write, on connections of their own: nobody else waits for their pages. */
export function openRedrives(options: ConnectionOptions): RedriveStore & { close(): Promise<void> } {
  const database = new Database(options)
  return {
    readJournal: (partition, after, limit) => readJournal(database, partition, after, limit),
    findTakers: (keys) => database.run('read', (sql) => takersOf(sql, keys)),
    standings: () => database.run('read', standings),
    noteSettled: async (partition, settled) =>
      void (await database.run('read', (sql) => noteSettled(sql, partition, settled))),
    orders: async (partitions) => {
      const rows = await database.run('read', (sql) => dueOf(sql, partitions))
      return rows.map((row) => ({ ...row, eventsSince: row.eventsSince?.toISOString() ?? null }))
    },
    noteRedriven: async (order) => void (await database.run('read', (sql) => noteRedriven(sql, order))),
    close: () => database.close(),
  }
}

/**
 * Two lookups for each message, and one of its actor when there is no turn: it may be archived. A letter that was requeued is
 * nobody's: it has been sent back, and may be lost again.
 */
export const takersOf = (sql: Sql, keys: TakerKey[]) => sql<Taker[]>`
  select asked.kind, asked.id, asked.partition, asked.message_id as "messageId",
    case when turn.found or archived.found then 'turn' when letter.status = 'open' then 'open letter'
      else 'discarded letter' end as by
  from unnest(
    string_to_array(${lines(keys, (key) => key.partition)}, chr(10))::int[],
    string_to_array(${lines(keys, (key) => key.kind)}, chr(10)),
    string_to_array(${lines(keys, (key) => key.id)}, chr(10))::uuid[],
    string_to_array(${lines(keys, (key) => key.messageId)}, chr(10))::uuid[],
    string_to_array(${lines(keys, (key) => key.sentAt)}, chr(10))::timestamptz[]
  ) as asked(partition, kind, id, message_id, sent_at)
  left join lateral (
    select true as found from turn
    where turn.partition = asked.partition and turn.actor_id = asked.id and turn.kind = asked.kind
      and turn.message_id = asked.message_id
    limit 1
  ) as turn on true
  left join lateral (
    select true as found from actor
    where turn.found is null and actor.partition = asked.partition and actor.kind = asked.kind and actor.id = asked.id
      and actor.archived_before > asked.sent_at
    limit 1
  ) as archived on true
  left join lateral (
    select status from dead_letter
    where dead_letter.partition = asked.partition and dead_letter.message_id = asked.message_id
      and dead_letter.recipient = md5(asked.kind || ' ' || asked.id)
    limit 1
  ) as letter on true
  where turn.found or archived.found or letter.status in ('open', 'discarded')`

const standings = (sql: Sql) => sql<Standing[]>`
  select id as partition, published, coalesce(settled, 0) as settled
  from partition left join redrive on redrive.partition = id
  order by id`

export const noteSettled = (sql: Sql, partition: number, settled: number) => sql`
  insert into redrive (partition, settled) values (${partition}::int, ${settled}::bigint)
  on conflict (partition) do update set settled = greatest(redrive.settled, excluded.settled)`

const dueOf = (sql: Sql, partitions: number[]) => sql<
  (Omit<RedriveOrder, 'eventsSince'> & { eventsSince: Date | null })[]
>`
  select redrive.partition, settled, position, up_to as "upTo", events_since as "eventsSince", round
  from unnest(string_to_array(${partitions.join('\n')}, chr(10))::int[]) as owned(id)
  join redrive on redrive.partition = owned.id
  where up_to is not null and due_at <= clock_timestamp()
  order by redrive.partition`

const noteRedriven = (sql: Sql, { partition, round, upTo, position, settled }: RedriveOrder) => sql`
  update redrive
  set settled = greatest(settled, ${settled}::bigint), position = ${position}::bigint,
    up_to = case when ${position}::bigint < ${upTo}::bigint then up_to end,
    events_since = case when ${position}::bigint < ${upTo}::bigint then events_since end
  where partition = ${partition}::int and round = ${round}::int and up_to is not null`

import type { Reply } from '../actor/actor.ts'
import type { Address, KnownTurn, TurnRecord } from '../engine/ports.ts'
import type { Sql } from './connection.ts'
import type { Database } from './database.ts'
import { lines } from './encode.ts'

type TurnKey = Address & { partition: number; messageId: string }

export async function readJournal(
  database: Pick<Database, 'run'>,
  partition: number,
  after: number,
  limit: number,
): Promise<TurnRecord[]> {
  const rows = await database.run('read', (sql) => turnsAfter(sql, partition, after, limit))
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }))
}

const turnsAfter = (sql: Sql, partition: number, after: number, limit: number) => sql<
  (Omit<TurnRecord, 'at'> & { at: Date })[]
>`
  select partition, position, kind, actor_id as "actorId", version, message_id as "messageId", at, message, meta, decision
  from turn
  where partition = ${partition}::int and position > ${after}::bigint
  order by position
  limit ${limit}::int`

/** The turns that these messages have had, each with the reply to its request. */
export async function findTurns(database: Database, keys: TurnKey[]): Promise<KnownTurn[]> {
  const rows = await database.run('read', (sql) => turnsOf(sql, keys))
  return rows.map(({ fingerprint, reply, ...turn }) => ({
    ...turn,
    ...(fingerprint !== null && { fingerprint }),
    ...(reply !== null && { reply }),
  }))
}

/** Messages to look up, as rows called `asked`. */
export const askedFor = (sql: Sql, keys: TurnKey[]) => sql`
  unnest(
    string_to_array(${lines(keys, (key) => key.partition)}, chr(10))::int[],
    string_to_array(${lines(keys, (key) => key.kind)}, chr(10)),
    string_to_array(${lines(keys, (key) => key.id)}, chr(10))::uuid[],
    string_to_array(${lines(keys, (key) => key.messageId)}, chr(10))::uuid[]
  ) as asked(partition, kind, id, message_id)`

type Found = Omit<KnownTurn, 'fingerprint' | 'reply'> & { fingerprint: string | null; reply: Reply | null }

/**
 * When a turn was a request and has no reply of its own, the reply is looked for among the actor's other turns: a booking
 * has a handful of them. A show has millions and answers at once, so the limit costs nobody an answer. What must hold of
 * `turn` stands innermost, where it keeps the others from being read at all: further out, each key of a show costs a thousand.
 */
const turnsOf = (sql: Sql, keys: TurnKey[]) => sql<Found[]>`
  select turn.kind, turn.actor_id as "actorId", turn.message_id as "messageId",
    turn.meta ->> 'fingerprint' as fingerprint,
    coalesce(turn.decision -> 'reply', later.reply) as reply
  from ${askedFor(sql, keys)}
  cross join lateral (
    select * from turn
    where turn.partition = asked.partition and turn.actor_id = asked.id and turn.kind = asked.kind
      and turn.message_id = asked.message_id
    limit 1
  ) as turn
  left join lateral (
    select decision -> 'reply' as reply
    from (
      select position, meta, decision
      from turn as same
      where same.partition = turn.partition and same.actor_id = turn.actor_id and same.kind = turn.kind
        and turn.decision -> 'reply' is null and turn.meta ->> 'requestId' = turn.message_id::text
      limit 1000
    ) as other
    where other.position > turn.position
      and other.meta ->> 'requestId' = turn.message_id::text
      and other.decision -> 'reply' is not null
    order by other.position
    limit 1
  ) as later on true`

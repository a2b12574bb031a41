import type { DeadLetter } from '../engine/ports.ts'
import type { Sql } from './connection.ts'
import type { Database } from './database.ts'
import { lines } from './encode.ts'
import { isHeld } from './pauses.ts'

export const letterStatuses = ['open', 'requeued', 'discarded'] as const
export type LetterStatus = (typeof letterStatuses)[number]

/** Names one letter, as it was when somebody looked at it. */
export type LetterRef = { partition: number; messageId: string; revision: number }

/** A letter as lists have it. Times are RFC 3339 in UTC. */
export type LetterSummary = LetterRef &
  Pick<DeadLetter, 'kind' | 'actorId' | 'type' | 'code' | 'cause' | 'at'> & {
    status: LetterStatus
    attempts: number
    firstAt: string
    lastAt: string
  }

export type LetterRecord = LetterSummary & DeadLetter

/** What was done to a letter, by whom, why, and what it was before. */
export type AuditRecord = LetterRef & {
  at: string
  who: string
  act: 'requeue' | 'edit' | 'discard'
  reason: string | null
  before: Record<string, unknown>
}

/** All that is given must hold. */
export type LetterFilter = {
  ids?: string[]
  /** The actor's kind, or the service. */
  kind?: string
  /** The actor that it was for or, of an effect, the one that asked. */
  actor?: { kind?: string; id: string }
  /** Messages that a pause holds back count only when their code or their ids are asked for. */
  code?: string
  /** Whether a pause holds it back that has not ended. */
  isHeld?: boolean
  /** A part of the cause, in any case. */
  error?: string
  /** Since it failed last. */
  olderThanSeconds?: number
  newerThanSeconds?: number
  status?: LetterStatus
}

export async function findLetters(
  database: Database,
  filter: LetterFilter,
  order: 'newest first' | 'oldest first',
  limit: number,
): Promise<LetterSummary[]> {
  const rows = await database.run('read', (sql) => matching(sql, filter, order, limit))
  return rows.map(withTexts)
}

/** The letters as they are now, in the order of the references; those that are gone are left out. */
export async function readLetters(database: Database, refs: Omit<LetterRef, 'revision'>[]): Promise<LetterRecord[]> {
  const rows = await database.run('read', (sql) => lettersAt(sql, refs))
  return rows.map(({ stack, ...row }) => ({ ...withTexts(row), ...(stack !== null && { stack }) }))
}

export async function readAudit(database: Database, letter: Omit<LetterRef, 'revision'>): Promise<AuditRecord[]> {
  const rows = await database.run('read', (sql) => actsOn(sql, letter))
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }))
}

type Times<Row> = Omit<Row, 'at' | 'firstAt' | 'lastAt'> & { at: Date; firstAt: Date; lastAt: Date }

function withTexts<Row extends { at: Date; firstAt: Date; lastAt: Date }>(row: Row) {
  const { at, firstAt, lastAt } = row
  return { ...row, at: at.toISOString(), firstAt: firstAt.toISOString(), lastAt: lastAt.toISOString() }
}

const summary = (sql: Sql) => sql`
  letter.partition, letter.message_id as "messageId", letter.revision, letter.kind, letter.actor_id as "actorId", letter.type,
  letter.code, letter.cause, letter.at, letter.status, letter.attempts, letter.first_at as "firstAt", letter.last_at as "lastAt"`

const matching = (sql: Sql, filter: LetterFilter, order: 'newest first' | 'oldest first', limit: number) => {
  const { ids, kind, actor, code, error, olderThanSeconds, newerThanSeconds, status } = filter
  const given = (value: unknown, condition: () => ReturnType<typeof sql>) => (value === undefined ? sql`` : condition())
  return sql<Times<LetterSummary>[]>`
    select ${summary(sql)}
    from dead_letter as letter
    where true
      ${given(ids, () => sql`and message_id = any(string_to_array(${ids?.join('\n') ?? ''}, chr(10))::uuid[])`)}
      ${given(kind, () => sql`and kind = ${kind ?? ''}`)}
      ${given(actor, () => sql`and actor_id = ${actor?.id ?? ''}`)}
      ${given(actor?.kind, () => sql`and ${actor?.kind ?? ''} in (kind, headers ->> 'Actor-Kind')`)}
      ${code === 'actor-paused' ? sql`and code = 'actor-paused'` : given(code, () => sql`and code = ${code ?? ''}`)}
      ${code === undefined && ids === undefined ? sql`and code <> 'actor-paused'` : sql``}
      ${given(filter.isHeld, () => sql`and ${isHeld(sql)} = ${filter.isHeld ?? false}`)}
      ${given(error, () => sql`and position(lower(${error ?? ''}::text) in lower(cause)) > 0`)}
      ${given(olderThanSeconds, () => sql`and last_at < now() - ${olderThanSeconds ?? 0}::int * interval '1 second'`)}
      ${given(newerThanSeconds, () => sql`and last_at >= now() - ${newerThanSeconds ?? 0}::int * interval '1 second'`)}
      ${status === 'open' ? sql`and status = 'open'` : given(status, () => sql`and status = ${status ?? ''}`)}
    ${order === 'newest first' ? sql`order by last_at desc, message_id` : sql`order by at, message_id`}
    limit ${limit}::int`
}

const lettersAt = (sql: Sql, refs: Omit<LetterRef, 'revision'>[]) => sql<
  (Times<Omit<LetterRecord, 'stack'>> & { stack: string | null })[]
>`
  select ${summary(sql)}, letter.stack, letter.payload, letter.headers, letter.meta
  from unnest(
    string_to_array(${lines(refs, (ref) => ref.partition)}, chr(10))::int[],
    string_to_array(${lines(refs, (ref) => ref.messageId)}, chr(10))::uuid[]
  ) with ordinality as wanted(partition, message_id, place)
  join dead_letter as letter on letter.partition = wanted.partition and letter.message_id = wanted.message_id
  order by place`

const actsOn = (sql: Sql, { partition, messageId }: Omit<LetterRef, 'revision'>) => sql<
  (Omit<AuditRecord, 'at'> & { at: Date })[]
>`
  select partition, message_id as "messageId", revision, at, who, act, reason, before
  from audit
  join dead_letter_version on partition = (details ->> 'partition')::int and message_id = ${messageId}::uuid
    and revision = (details ->> 'revision')::int
  where subject = 'dead letter ' || ${messageId}::uuid and partition = ${partition}::int
  order by seq`

import type postgres from 'postgres'
import type { Author } from './audit.ts'
import type { Sql } from './connection.ts'
import type { Database } from './database.ts'
import type { AuditRecord, LetterRef, LetterStatus } from './dead-letter-records.ts'

/**
 * What a person can do to a dead letter. Each is one statement that changes the letter and writes down the act with the
 * letter as it was: there is no act without its row in `audit`, and no row without its act. The log has the digest of the
 * letter, which may hold anybody's data; the letter itself is beside it.
 */

/**
 * The broker has stored it again. It may have failed again by now, which raised its revision: then it stays open.
 *
 * @returns its status, or nothing when it is gone
 */
export async function markRequeued(
  database: Database,
  letter: LetterRef,
  by: Author,
): Promise<LetterStatus | undefined> {
  const rows = await database.run('commit', (sql) => {
    const change = sql`status = case when letter.revision = ${letter.revision}::int then 'requeued' else letter.status end`
    return act(sql, 'requeue', letter, by, sql`true`, change)
  })
  return rows[0]?.status
}

/** @returns false when it is not open any more, or not as it was: then nothing is written */
export async function editLetter(
  database: Database,
  letter: LetterRef,
  payload: Uint8Array,
  by: Author,
): Promise<boolean> {
  const rows = await database.run('commit', (sql) => {
    const isSame = sql`status = 'open' and revision = ${letter.revision}::int`
    return act(sql, 'edit', letter, by, isSame, sql`payload = ${Buffer.from(payload)}::bytea`)
  })
  return rows.length > 0
}

/** @returns false when it is not as it was any more: then nothing is written */
export async function discardLetter(database: Database, letter: LetterRef, by: Author): Promise<boolean> {
  const rows = await database.run('commit', (sql) => {
    return act(sql, 'discard', letter, by, sql`revision = ${letter.revision}::int`, sql`status = 'discarded'`)
  })
  return rows.length > 0
}

type Fragment = postgres.PendingQuery<postgres.Row[]>

const act = (
  sql: Sql,
  name: AuditRecord['act'],
  { partition, messageId }: LetterRef,
  { who, reason }: Author,
  condition: Fragment,
  change: Fragment,
) => sql<{ status: LetterStatus }[]>`
  with letter as (
    select * from dead_letter
    where partition = ${partition}::int and message_id = ${messageId}::uuid and ${condition}
    for update
  ), noted as (
    insert into audit (who, act, subject, reason, details)
    select ${who}, ${name}, 'dead letter ' || message_id, ${reason ?? null}::text, json_build_object('partition', partition,
      'revision', revision, 'before', encode(sha256(convert_to(to_json(letter)::text, 'UTF8')), 'hex'))
    from letter
  ), kept as (
    insert into dead_letter_version (partition, message_id, revision, before)
    select partition, message_id, revision, to_json(letter) from letter
  )
  update dead_letter
  set revision = letter.revision + 1, ${change}
  from letter
  where dead_letter.partition = letter.partition and dead_letter.message_id = letter.message_id
  returning dead_letter.status`

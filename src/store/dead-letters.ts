import type { DeadLetter } from '../engine/ports.ts'
import type { Sql } from './connection.ts'
import type { Database } from './database.ts'
import { json } from './encode.ts'

/** One JSON text of them all: they are rare, and have parts that are missing or of any form. */
export const documentOf = (letters: DeadLetter[]): string => json(merge(letters))

/** The same message twice in one batch is one row with two attempts: a statement may touch a row only once. */
function merge(letters: DeadLetter[]) {
  const merged = new Map<string, Omit<DeadLetter, 'payload'> & { payload: string; attempts: number }>()
  for (const letter of letters) {
    const { partition, messageId, kind, actorId } = letter
    const key = `${partition}/${messageId}/${kind} ${actorId}`
    const attempts = (merged.get(key)?.attempts ?? 0) + 1
    merged.set(key, { ...letter, payload: Buffer.from(letter.payload).toString('base64'), attempts })
  }
  return [...merged.values()]
}

/** The beginning of a statement that inserts them. */
const insertLetters = (sql: Sql, document: string) => sql`
  insert into dead_letter (partition, message_id, kind, actor_id, type, code, cause, stack, payload, headers, meta, at,
    attempts, first_at, last_at)
  select partition, "messageId", kind, "actorId", type, code, cause, stack, decode(payload, 'base64'), headers, meta, at,
    attempts, now(), now()
  from json_to_recordset(${document}::text::json) as letter(
    partition int, "messageId" uuid, kind text, "actorId" text, type text, code text, cause text, stack text, payload text,
    headers json, meta json, at timestamptz, attempts int)`

/** The end of that statement: one that is there already has failed again, so it is open again, as it is now. */
const reopenLetters = (sql: Sql) => sql`
  on conflict (partition, message_id, recipient) do update
  set status = 'open', revision = dead_letter.revision + 1,
    attempts = dead_letter.attempts + excluded.attempts, last_at = excluded.last_at,
    code = excluded.code, cause = excluded.cause, stack = excluded.stack, payload = excluded.payload,
    headers = excluded.headers, meta = excluded.meta, at = excluded.at`

/** A part of the commit statement, for a batch that has dead letters: most have none, and are spared the part. */
export const keepLetters = (sql: Sql, document: string) => sql`, dead_letters as (
    ${insertLetters(sql, document)}
    where (select is_open from fence)
    ${reopenLetters(sql)}
  )`

export async function keepDeadLetter(database: Database, letter: DeadLetter): Promise<void> {
  const document = documentOf([letter])
  await database.run('lease', (sql) => sql`${insertLetters(sql, document)} ${reopenLetters(sql)}`)
}

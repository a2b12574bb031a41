import type { AuditHead, AuditRow } from './audit-chain.ts'
import type { ConnectionOptions, Sql } from './connection.ts'
import { Database } from './database.ts'
import { json } from './encode.ts'

/** Who does it, and why. */
export type Author = { who: string; reason?: string | undefined }

/** Something an operator does that changes no row which could be noted by the same statement. */
export type Act = { act: string; subject: string; details: object }

export type AuditStore = ReturnType<typeof openAudit>

/**
 * The audit log, for the people who read it and for what they do. Connects when it is first asked something; what is asked
 * fails with `database-unavailable` when that does not work.
 */
export function openAudit(options: ConnectionOptions) {
  const database = new Database(options)
  return {
    append: (act: Act, by: Author) => appendAct(database, act, by),
    /** The last so many, oldest first; of one act, or of all. */
    last: async (limit: number, act?: string): Promise<AuditRow[]> => {
      return (await database.run('read', (sql) => lastRows(sql, limit, act ?? null))).reverse()
    },
    head: async (): Promise<AuditHead> => {
      const [head] = (await database.run('read', auditHead)) as [AuditHead]
      return head
    },
    close: () => database.close(),
  }
}

async function appendAct(database: Database, { act, subject, details }: Act, { who, reason }: Author): Promise<void> {
  await database.run(
    'commit',
    (sql) => sql`
      insert into audit (who, act, subject, reason, details)
      values (${who}, ${act}, ${subject}, ${reason ?? null}::text, ${json(details)}::text::json)`,
  )
}

export const auditHead = (sql: Sql) => sql<AuditHead[]>`select seq, hash from audit_head`

/** Some rows after another, in the order of the chain. */
export const auditAfter = (sql: Sql, seq: number, limit: number) => sql<AuditRow[]>`
  select ${auditColumns(sql)} from audit where seq > ${seq}::bigint order by seq limit ${limit}::int`

const lastRows = (sql: Sql, limit: number, act: string | null) => sql<AuditRow[]>`
  select ${auditColumns(sql)} from audit
  where ${act}::text is null or act = ${act}
  order by seq desc
  limit ${limit}::int`

const auditColumns = (sql: Sql) => sql`
  seq, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, who, act, subject, reason,
  details::text as details, previous, hash`

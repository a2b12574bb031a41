import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { TurnstileError } from '../errors.ts'
import type { Sql } from './connection.ts'
import { sqlState } from './errors.ts'

const folder = new URL('./migrations/', import.meta.url)

/** Any number, as long as it stays the same: the lock that keeps two daemons from migrating at once. */
const lock = 7_284_936_015

const insufficientPrivilege = '42501'

export type Migration = { name: string; text: string }

/**
 * Brings the database to the newest schema. Forward only. Safe when several processes do it at once.
 *
 * @param sql a client with one connection
 * @returns the names of the migrations that were applied now
 * @throws `schema-behind` when there is something to do and the role may not, `migration-changed` when a file differs from what was applied under its name
 */
export async function migrate(sql: Sql, migrations?: Migration[]): Promise<string[]> {
  const files = migrations ?? (await readMigrations())
  // First looked at only: most processes have no right to change anything, and need none when there is nothing to do.
  if (await areApplied(sql, files)) return []
  try {
    await transaction(
      sql,
      'create table if not exists migration (name text primary key, checksum text not null, at timestamptz not null)',
    )
    const applied: string[] = []
    for (const file of files) if (await apply(sql, file)) applied.push(file.name)
    return applied
  } catch (error) {
    if (sqlState(error) !== insufficientPrivilege) throw error
    const message =
      'The schema is older than this build, and this role may not change it. Run turnstile migrate as its owner.'
    throw new TurnstileError('schema-behind', message, { cause: error })
  }
}

/** Lets each kind of process do what it needs and no more, by groups that logins can be put into: `roles.sql`. */
export async function grantRoles(sql: Sql): Promise<void> {
  await transaction(sql, await readFile(new URL('./roles.sql', import.meta.url), 'utf8'))
}

async function areApplied(sql: Sql, files: Migration[]): Promise<boolean> {
  const [table] = await sql<{ exists: boolean }[]>`select to_regclass('migration') is not null as exists`
  if (!table?.exists) return false
  const stored = await sql<{ name: string; checksum: string }[]>`select name, checksum from migration`
  const checksums = new Map(stored.map(({ name, checksum }) => [name, checksum]))
  return files.every(({ name, text }) => isSame(name, checksums.get(name), checksumOf(text)))
}

const checksumOf = (text: string): string => createHash('sha256').update(text).digest('hex')

async function readMigrations(): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  return Promise.all(names.map(async (name) => ({ name, text: await readFile(new URL(name, folder), 'utf8') })))
}

async function apply(sql: Sql, { name, text }: Migration): Promise<boolean> {
  const checksum = checksumOf(text)
  if (await isApplied(sql, name, checksum)) return false
  try {
    await transaction(sql, `insert into migration values ('${name}', '${checksum}', now());\n${text}`)
    return true
  } catch (error) {
    // The primary key: another process was faster.
    if (sqlState(error) === '23505' && (await isApplied(sql, name, checksum))) return false
    throw error
  }
}

async function isApplied(sql: Sql, name: string, checksum: string): Promise<boolean> {
  const [row] = await sql<{ checksum: string }[]>`select checksum from migration where name = ${name}`
  return isSame(name, row?.checksum, checksum)
}

/** Whether it was applied. @throws `migration-changed` when it was another one */
function isSame(name: string, applied: string | undefined, checksum: string): boolean {
  if (applied !== undefined && applied !== checksum) {
    const advice = 'Restore the file, and put the change into a new migration.'
    throw new TurnstileError(
      'migration-changed',
      `Migration ${name} is not what was applied to this database. ${advice}`,
    )
  }
  return applied !== undefined
}

/** One message of several statements, so that all of them run on one connection, or none. */
async function transaction(sql: Sql, text: string): Promise<void> {
  try {
    await sql.unsafe(`begin;\nselect pg_advisory_xact_lock(${lock});\n${text};\ncommit`).simple()
  } catch (error) {
    await sql.unsafe('rollback').catch(() => {})
    throw error
  }
}

/**
 * Makes the partitions of a new database; their number is fixed from then on, because it decides where an actor lives.
 *
 * @throws `partitions-mismatch` when the database has another number
 */
export async function ensurePartitions(sql: Sql, count: number): Promise<void> {
  const [any] = await sql`select from partition limit 1`
  if (!any) {
    await sql`
      insert into partition (id) select generate_series(0, ${count}::int - 1)
      where not exists (select from partition)
      on conflict (id) do nothing`
  }
  const [row] = await sql<{ stored: number }[]>`select count(*) as stored from partition`
  if (row?.stored === count) return
  throw new TurnstileError(
    'partitions-mismatch',
    `TURNSTILE_PARTITIONS is ${count}, but this database was set up with ${row?.stored}. ` +
      `Set it to ${row?.stored}, or point POSTGRES_URL to an empty database.`,
  )
}

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { testServer } from './environment.ts'

export type TestDatabase = {
  url: string
  /** Fails when someone left a connection open: a leaked pool is a bug. */
  drop(): Promise<void>
}

/**
 * A database of the test file's own, made ready by `migrate` when that is given. There is no template database: the
 * migrations take about as long as Postgres takes to copy one.
 */
export async function createDatabase(migrate?: (sql: postgres.Sql) => Promise<unknown>): Promise<TestDatabase> {
  const server = testServer('TEST_POSTGRES_URL')
  const name = `test_${randomUUID().replaceAll('-', '')}`
  const url = new URL(server)
  url.pathname = name
  await withConnection(server, (sql) => sql`create database ${sql(name)}`)
  if (migrate !== undefined) await withConnection(url.href, migrate)
  return { url: url.href, drop: () => withConnection(server, (sql) => drop(sql, name)) }
}

async function drop(sql: postgres.Sql, name: string): Promise<void> {
  const left = await connectionsLeft(sql, name)
  await sql`drop database ${sql(name)} with (force)`
  if (left.length > 0) throw new Error(`connections were left open by: ${left.join(', ')}`)
}

/** Postgres notices a closed connection a moment after its client. */
async function connectionsLeft(sql: postgres.Sql, name: string): Promise<string[]> {
  const deadline = Date.now() + 2000
  for (;;) {
    const rows = await sql<{ application_name: string }[]>`
      select application_name from pg_stat_activity where datname = ${name}`
    if (rows.length === 0 || Date.now() > deadline) return rows.map((row) => row.application_name)
    await sleep(20)
  }
}

async function withConnection<T>(url: string, use: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    return await use(sql)
  } finally {
    await sql.end()
  }
}

import { existsSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import postgres from 'postgres'
import { SandboxError } from './errors.ts'
import { brokenData, ensureFolder } from './folders.ts'
import { findPostgresBinaries } from './postgres-binaries.ts'
import { clearStaleLock } from './postgres-lock.ts'
import { asPostgresUser } from './postgres-user.ts'
import { launch, type ProcessOptions } from './process.ts'
import { type Server, startServer } from './server.ts'

export type PostgresOptions = {
  /** Keeps the data; made when it is missing. */
  folder: string
  port: number
  logFile: string
  /** Server settings on top of ours, e.g. `{ fsync: 'off' }`. */
  settings?: Record<string, string> | undefined
}

export type PostgresServer = Server & { url: string }

const user = 'turnstile'
const database = 'turnstile'

/** Chosen for a laptop of two cores that also runs everything else; what is not named keeps its default. */
const settings = {
  listen_addresses: '127.0.0.1',
  // The path of a socket may have 107 bytes only, and nobody needs one.
  unix_socket_directories: '',
  // Holds the working set of some hundred thousand actors and leaves the memory to the others.
  shared_buffers: '256MB',
  // With the default of 1 GB a run under load checkpoints every few seconds and writes full pages after each.
  max_wal_size: '4GB',
  checkpoint_timeout: '15min',
  // Several daemons and test files share one server.
  max_connections: '200',
  // Times in logs and in psql read the same on every machine.
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
}

/** Starts a Postgres on loopback that trusts everyone there, with an empty database when the folder is new. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const binaries = findPostgresBinaries()
  const data = path.join(options.folder, 'data')
  ensureFolder(options.folder)
  const asUser = asPostgresUser(options.folder, binaries.initdb)
  const common = { logFile: options.logFile, cwd: options.folder }

  if (!existsSync(data)) {
    // Made elsewhere and then moved, so that an interrupted initdb leaves nothing that looks like data.
    const fresh = path.join(options.folder, 'initdb')
    rmSync(fresh, { recursive: true, force: true })
    const args = ['--pgdata', fresh, '--username', user, '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync']
    await runToEnd({ name: 'initdb', ...common, ...asUser(binaries.initdb, args) })
    renameSync(fresh, data)
  }
  clearStaleLock(data)

  const all = { ...settings, port: String(options.port), ...options.settings }
  const args = ['-D', data, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
  const url = (name: string): string => `postgres://${user}@127.0.0.1:${options.port}/${name}`
  const server = await startServer({
    // SIGINT is Postgres' fast shutdown: it ends the sessions and writes a checkpoint.
    process: { name: 'Postgres', stopSignal: 'SIGINT', ...common, ...asUser(binaries.postgres, args) },
    isReady: () => accepts(url('postgres')),
  }).catch((cause) => {
    throw cause instanceof SandboxError && cause.code === 'died' ? brokenData(data, cause) : cause
  })
  await createDatabase(url('postgres'))
  return { ...server, url: url(database) }
}

async function runToEnd(options: ProcessOptions): Promise<void> {
  const process = await launch(options)
  const exit = await process.exited
  if (exit.code === 0) return
  throw new SandboxError('broken-data', [`${options.name} failed:`, ...process.lines.slice(-10)].join('\n  '))
}

async function accepts(url: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, connect_timeout: 1, onnotice: () => {} })
  try {
    await sql`select 1`
    return true
  } catch {
    return false
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function createDatabase(adminUrl: string): Promise<void> {
  const sql = postgres(adminUrl, { max: 1 })
  try {
    const [existing] = await sql`select 1 from pg_database where datname = ${database}`
    if (existing === undefined) await sql`create database ${sql(database)}`
  } finally {
    await sql.end()
  }
}

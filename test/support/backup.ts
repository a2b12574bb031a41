import { execFileSync } from 'node:child_process'
import { copyFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type postgres from 'postgres'

/**
 * A base backup of a Postgres that serves, as `pg_basebackup --wal-method=fetch` makes it: the files as they are, and the WAL that makes one
 * moment of them. The embedded Postgres has neither that program nor pg_dump.
 *
 * @param sql one connection of a superuser: the backup lasts as long as its session
 * @param target an empty folder
 * @returns the folder of the server's data
 */
export async function baseBackup(sql: postgres.Sql, target: string): Promise<string> {
  const [{ data_directory: data } = { data_directory: '' }] = await sql<
    { data_directory: string }[]
  >`show data_directory`
  await sql`select pg_backup_start('turnstile', fast => true)`
  const passing = ['./pg_wal/*', './postmaster.pid', './postmaster.opts', '*/pg_internal.init*'].map(
    (name) => `--exclude=${name}`,
  )
  pack(data, path.join(target, 'base.tar'), ...passing, '.')
  const [stopped] = await sql<{ labelfile: string }[]>`select labelfile from pg_backup_stop(wait_for_archive => false)`
  writeFileSync(path.join(target, 'backup_label'), stopped?.labelfile ?? '')
  pack(data, path.join(target, 'wal.tar'), 'pg_wal')
  return data
}

/** Puts a backup in the place of whatever is in the data folder of a Postgres that is stopped. */
export function restoreBackup(target: string, data: string): void {
  for (const name of readdirSync(data)) rmSync(path.join(data, name), { recursive: true })
  for (const part of ['base.tar', 'wal.tar']) {
    execFileSync('tar', ['--directory', data, '--extract', '--preserve-permissions', '--file', path.join(target, part)])
  }
  copyFileSync(path.join(target, 'backup_label'), path.join(data, 'backup_label'))
}

/** Files that grow or go while they are packed are what the WAL is for, and tar's exit code 1. */
function pack(folder: string, file: string, ...args: string[]): void {
  try {
    execFileSync('tar', ['--directory', folder, '--create', '--file', file, ...args], { stdio: 'ignore' })
  } catch (error) {
    if ((error as { status: number }).status !== 1) throw error
  }
}

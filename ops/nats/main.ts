import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { configurationOf, type User, users } from './permissions.ts'

const help = `npm run nats-users -- --out FOLDER [--prefix turnstile]

Makes NATS users for the kinds of processes, each with the permissions that it needs and no more, and writes into the folder

  users.conf        for the server: include "users.conf", at the top level of its configuration
  USER.password     one file for each of ${users.join(', ')}

A password that is there already is kept: to replace one, delete its file, run this again and reload the server. NATS_URL of
a process is then nats://USER:PASSWORD@host:4222.
`

/** @returns the process's exit code */
export function main(args: string[], print: (text: string) => void): number {
  const { values } = parseArgs({
    args,
    options: { out: { type: 'string' }, prefix: { type: 'string', default: 'turnstile' }, help: { type: 'boolean' } },
  })
  if (values.help || values.out === undefined) {
    print(help)
    return values.help ? 0 : 2
  }
  const folder = values.out
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const passwords = Object.fromEntries(users.map((user) => [user, passwordOf(path.join(folder, `${user}.password`))]))
  const file = path.join(folder, 'users.conf')
  writeFileSync(file, configurationOf(values.prefix, passwords as Record<User, string>), { mode: 0o600 })
  print(`Wrote ${file}, and a password for each of ${users.join(', ')}.\n`)
  return 0
}

/** The one in the file, or a new one, which is put there. */
function passwordOf(file: string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  // Without what a URL would have to escape.
  const password = randomBytes(24).toString('base64url')
  writeFileSync(file, `${password}\n`, { mode: 0o600 })
  return password
}

import { parseArgs } from 'node:util'
import { misused } from '../commands/options.ts'
import { type CreateOptions, create, list, revoke } from './commands.ts'
import { type Desk, deskOn } from './desk.ts'

const help = `turnstile keys COMMAND [--file PATH]

Works on the file of API keys, which holds their digests and no key. A daemon notices within seconds that it has changed. PATH
is TURNSTILE_API_KEYS_FILE unless it is given.

  create NAME --role ROLE   makes a key, and prints it this once; --role may be repeated
    --expires 90d             it is good for so long, else until it is revoked; s, m, h or d
    --overlap 7d              older keys of this name are good for so much longer, and no more
  list                      who has keys, for which roles, and until when
  revoke NAME               removes every key of this name

  turnstile keys create boxoffice-1 --role box-office --expires 90d --overlap 7d
`

/** @returns the process's exit code */
export async function keys(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      file: { type: 'string', default: process.env.TURNSTILE_API_KEYS_FILE ?? '' },
      role: { type: 'string', multiple: true, default: [] },
      expires: { type: 'string' },
      overlap: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  const [command, ...names] = positionals
  if (values.help || command === undefined) {
    process.stdout.write(help)
    return 0
  }
  if (values.file === '') throw misused('name the key file by --file, or by TURNSTILE_API_KEYS_FILE')
  run(command, names, values, deskOn(values.file))
  return 0
}

function run(command: string, names: string[], options: CreateOptions, desk: Desk): void {
  const [name, ...others] = names
  if (command === 'list' && name === undefined) list(desk)
  else if (command === 'create' && name !== undefined && others.length === 0) create(name, options, desk)
  else if (command === 'revoke' && name !== undefined && others.length === 0) revoke(name, desk)
  else throw misused(`turnstile keys does not take ${[command, ...names].join(' ')}: see turnstile keys --help`)
}

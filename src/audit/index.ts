import { readDatabaseConfig } from '../config.ts'
import { openAudit } from '../store/audit.ts'
import type { Command } from './command.ts'
import { head } from './head.ts'
import { list } from './list.ts'

const commands: Record<string, Command> = { list, head }

const help = `turnstile audit COMMAND

What operators have done, and every refund: one log, each row of which holds the hash of the one before.

  list   the last of it
  head   its end, to be noted where nobody who can write to the database can

Each has a --help of its own. They need POSTGRES_URL and no other setting. turnstile verify checks the log.
`

const deadlineMs = 30_000

/** @returns the process's exit code */
export async function audit([name = '--help', ...args]: string[]): Promise<number> {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!command) {
    const isAsked = name === '--help' || name === '-h'
    if (isAsked) process.stdout.write(help)
    else process.stderr.write(`turnstile audit knows no command ${name}\n\n${help}`)
    return isAsked ? 0 : 2
  }
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(command.help)
    return 0
  }
  const { POSTGRES_URL } = readDatabaseConfig(process.env)
  const log = openAudit({ url: POSTGRES_URL, applicationName: 'turnstile audit', deadlineMs })
  try {
    return await command.run(args, {
      log,
      print: (text) => void process.stdout.write(text),
      columns: process.stdout.isTTY ? process.stdout.columns : undefined,
    })
  } finally {
    await log.close()
  }
}

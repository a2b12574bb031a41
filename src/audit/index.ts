import { choose } from '../commands/choose.ts'
import { readDatabaseConfig } from '../config.ts'
import { openAudit } from '../store/audit.ts'
import type { Command } from './command.ts'
import { head } from './head.ts'
import { list } from './list.ts'

const program = 'turnstile audit'
const commands: Record<string, Command> = { list, head }

const help = `turnstile audit COMMAND

What operators have done, and every refund: one log, each row of which holds the hash of the one before.

  list   the last of it
  head   its end, to be noted where nobody who can write to the database can

Each has a --help of its own. They need POSTGRES_URL and no other setting. turnstile verify checks the log.
`

const deadlineMs = 30_000

/** @returns the process's exit code */
export const audit = (args: string[]): Promise<number> => choose(args, { program, help, commands, run })

async function run(command: Command, args: string[]): Promise<number> {
  const { POSTGRES_URL } = readDatabaseConfig(process.env)
  const log = openAudit({ url: POSTGRES_URL, applicationName: program, deadlineMs })
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

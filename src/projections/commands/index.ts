import { choose } from '../../commands/choose.ts'
import { userOfProcess } from '../../commands/desk.ts'
import { readDatabaseConfig } from '../../config.ts'
import { openAudit } from '../../store/audit.ts'
import { openRebuild } from '../../store/projections.ts'
import type { Command } from './command.ts'
import { list } from './list.ts'
import { rebuildOne } from './rebuild.ts'

const program = 'turnstile projections'
const commands: Record<string, Command> = { list, rebuild: rebuildOne }

const help = `turnstile projections COMMAND

Read models are made from the journal: the lists and the ops bookings that HTTP answers with.

  list      how far each has come
  rebuild   makes one anew, while it serves

Each has a --help of its own. They need POSTGRES_URL and no other setting.
`

/** Statements of a rebuild write thousands of rows. */
const deadlineMs = 60_000

/** @returns the process's exit code */
export const projections = (args: string[]): Promise<number> => choose(args, { program, help, commands, run })

async function run(command: Command, args: string[]): Promise<number> {
  const { POSTGRES_URL } = readDatabaseConfig(process.env)
  const connection = { url: POSTGRES_URL, applicationName: program, deadlineMs }
  const [store, audit] = [openRebuild(connection), openAudit(connection)]
  try {
    return await command.run(args, {
      store,
      audit,
      user: userOfProcess(),
      print: (text) => void process.stdout.write(text),
      // A line that is written over and over is for people alone.
      printProgress: (text) => void (process.stderr.isTTY && process.stderr.write(`\r\x1b[K${text}`)),
    })
  } finally {
    await Promise.all([store.close(), audit.close()])
  }
}

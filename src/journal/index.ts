import { choose } from '../commands/choose.ts'
import { readDatabaseConfig } from '../config.ts'
import { openInspection } from '../store/postgres-inspection.ts'
import { show, help as showHelp } from './show.ts'

const program = 'turnstile journal'
const commands = { show: { help: showHelp, run: show } }

const help = `turnstile journal COMMAND

The journal has every turn that any actor ever took.

  show   one actor's life and its state, now or earlier

It has a --help of its own.
`

const deadlineMs = 30_000

/** @returns the process's exit code */
export const journal = (args: string[]): Promise<number> => choose(args, { program, help, commands, run })

async function run(command: typeof commands.show, args: string[]): Promise<number> {
  const { POSTGRES_URL } = readDatabaseConfig(process.env)
  const inspection = openInspection({ url: POSTGRES_URL, applicationName: program, deadlineMs })
  try {
    await command.run(args, inspection, (text) => void process.stdout.write(text))
    return 0
  } finally {
    await inspection.close()
  }
}

import { readDatabaseConfig } from '../config.ts'
import { openInspection } from '../store/postgres-inspection.ts'
import { show, help as showHelp } from './show.ts'

const help = `turnstile journal COMMAND

The journal has every turn that any actor ever took.

  show   one actor's life and its state, now or earlier

It has a --help of its own.
`

const deadlineMs = 30_000

/** @returns the process's exit code */
export async function journal([name = '--help', ...args]: string[]): Promise<number> {
  if (name === '--help' || name === '-h') return print(help)
  if (name !== 'show') {
    process.stderr.write(`turnstile journal knows no command ${name}\n\n${help}`)
    return 2
  }
  if (args.includes('--help') || args.includes('-h')) return print(showHelp)
  const { POSTGRES_URL } = readDatabaseConfig(process.env)
  const inspection = openInspection({ url: POSTGRES_URL, applicationName: 'turnstile journal', deadlineMs })
  try {
    await show(args, inspection, print)
    return 0
  } finally {
    await inspection.close()
  }
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}

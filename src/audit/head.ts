import { parseArgs } from 'node:util'
import type { Command } from './command.ts'

const help = `turnstile audit head

Prints the number of the last row and its hash. Note it now and then where nobody who can write to the database can: with
turnstile verify --audit-head it tells for ever after whether the log up to there is still what it was.
`

export const head: Command = {
  help,
  async run(args, { log, print }) {
    parseArgs({ args, options: {} })
    const { seq, hash } = await log.head()
    print(`${seq}:${hash}\n`)
    return 0
  },
}

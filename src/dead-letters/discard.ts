import { parseArgs } from 'node:util'
import { authorOf, authorOptions, misused } from '../commands/options.ts'
import { forEachLetter } from './bulk.ts'
import type { Command } from './command.ts'
import { bulkOptions, filterHelp, filterOptions } from './options.ts'

const help = `turnstile dead-letters discard [ID ...] --reason WHY [options]

Closes dead letters that nobody is going to requeue, because they were settled by hand or are of no use. They stay where
they are, as discarded.

  --reason WHY         for the audit trail; required
  --by WHO             for the audit trail; the user of this process unless given
  --all                needed when nothing says which
  --dry-run            only says which it would be
  --json               one JSON object a line

${filterHelp}
  turnstile dead-letters discard --code unknown-actor --older-than 7d --reason 'from the trial client'
`

export const discard: Command = {
  help,
  async run(args, desk) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { ...filterOptions, ...bulkOptions, ...authorOptions },
    })
    if (!values.reason?.trim()) throw misused('discard needs --reason: what was done about the letters instead')
    const author = authorOf(desk, values)
    return forEachLetter(desk, positionals, values, (letters) =>
      Promise.all(
        letters.map(async (letter) => {
          const isDone = await desk.letters.discard(letter, author)
          return isDone
            ? { letter, result: 'discarded' }
            : { letter, fault: 'it has changed meanwhile: look at it again' }
        }),
      ),
    )
  },
}

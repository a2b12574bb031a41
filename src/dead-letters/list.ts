import { parseArgs } from 'node:util'
import { parseLimit } from '../commands/options.ts'
import { age, oneLine, table } from '../commands/text.ts'
import type { LetterSummary } from '../store/dead-letter-records.ts'
import type { Command } from './command.ts'
import { filterHelp, filterOptions, parseFilter } from './options.ts'

const help = `turnstile dead-letters list [options]

Lists dead letters, those that failed last first. Without options: the newest 50 that are open.

${filterHelp}  --json               one JSON object a line, with the whole cause

  turnstile dead-letters list --code turn-threw --newer-than 1h
  turnstile dead-letters list --actor booking.019389c7-1f3a-7b08-8c66-2d94e5b1a703
  turnstile dead-letters list --error 'connect ECONNREFUSED' --json | jq -r .messageId
`

export const list: Command = {
  help,
  async run(args, { letters, print, columns }) {
    const { values } = parseArgs({ args, options: filterOptions })
    const filter = parseFilter(values)
    const limit = parseLimit(values.limit, 50)
    const found = await letters.find(filter, 'newest first', limit + 1)
    const shown = found.slice(0, limit)
    if (values.json) print(shown.map((letter) => `${JSON.stringify(letter)}\n`).join(''))
    else if (shown.length === 0) print(`No ${filter.status} dead letter is like that.\n`)
    else print(table([heading, ...shown.map(rowOf)], columns))
    if (found.length > limit && !values.json)
      print(`There are more than these ${limit}: narrow it down, or --limit more.\n`)
    return 0
  },
}

const heading = ['AGE', 'ID', 'KIND', 'ACTOR', 'TYPE', 'CODE', 'CAUSE']

function rowOf({ lastAt, messageId, kind, actorId, type, code, cause }: LetterSummary): string[] {
  return [age(lastAt), messageId, kind, actorId, type, code, cause].map(oneLine)
}

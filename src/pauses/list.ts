import { parseArgs } from 'node:util'
import { age, oneLine, table } from '../commands/text.ts'
import type { PauseRecord } from '../store/pause-store.ts'
import type { Command } from './command.ts'

const help = `turnstile pauses [--json]

Lists what is paused, the longest first, with how many messages wait for its end. Effects of a paused service wait in
their queue, and are not counted here.

  --json   one JSON object a line
`

export const list: Command = {
  help,
  async run(args, { pauses, print, columns }) {
    const { values } = parseArgs({ args, options: { json: { type: 'boolean', default: false } } })
    const [standing, leftovers] = [await pauses.list(), await pauses.leftovers()]
    if (values.json) {
      print([...standing, ...leftovers].map((line) => `${JSON.stringify(line)}\n`).join(''))
      return 0
    }
    print(standing.length === 0 ? 'Nothing is paused.\n' : table([heading, ...standing.map(rowOf)], columns))
    for (const { kind, waiting } of leftovers)
      print(`${waiting} messages to ${kind} actors wait for a resume to be run again: turnstile resume kind ${kind}\n`)
    return 0
  },
}

const heading = ['AGE', 'TARGET', 'NAME', 'WAITING', 'BY', 'REASON']

function rowOf({ since, target, name, waiting, who, reason }: PauseRecord): string[] {
  return [age(since), target, name, waiting === null ? '-' : String(waiting), who, reason].map(oneLine)
}

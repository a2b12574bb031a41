import { parseArgs } from 'node:util'
import { table } from '../../commands/text.ts'
import type { Command } from './command.ts'

const help = `turnstile projections list [--json]

Lists the read models: how many turns of the journal are in each, and how many it lags behind. One that is being rebuilt is
there twice, the new one as NAME_rebuild.

  --json   one JSON object a line
`

export const list: Command = {
  help,
  async run(args, { store, print }) {
    const { values } = parseArgs({ args, options: { json: { type: 'boolean', default: false } } })
    const standings = await store.standings()
    if (values.json) print(standings.map((standing) => `${JSON.stringify(standing)}\n`).join(''))
    else if (standings.length === 0) print('There are none yet: a daemon with the role projector makes them.\n')
    else print(table([heading, ...standings.map(({ name, turns, lag }) => [name, String(turns), String(lag)])]))
    return 0
  },
}

const heading = ['NAME', 'TURNS', 'LAG']

import { parseArgs } from 'node:util'
import { parseLimit } from '../commands/options.ts'
import { oneLine, table } from '../commands/text.ts'
import type { AuditRow } from '../store/audit-chain.ts'
import type { Command } from './command.ts'

const help = `turnstile audit list [options]

Lists what was done last, oldest first: by operators, and the refunds.

  --act ACT    only these: requeue, edit, discard, pause, resume, redrive, rebuild, erase, erased or refund
  --limit N    so many; 50 unless given
  --json       one JSON object a line, with all that a row holds

  turnstile audit list --act refund --limit 1000 --json | jq -r .subject
`

export const list: Command = {
  help,
  async run(args, { log, print, columns }) {
    const { values } = parseArgs({
      args,
      options: { act: { type: 'string' }, limit: { type: 'string' }, json: { type: 'boolean', default: false } },
    })
    const rows = await log.last(parseLimit(values.limit, 50), values.act)
    if (values.json) print(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    else if (rows.length === 0) print('Nothing of the kind was done.\n')
    else print(table([heading, ...rows.map(cellsOf)], columns))
    return 0
  },
}

const heading = ['ROW', 'AT', 'BY', 'ACT', 'TO', 'REASON']

function cellsOf({ seq, at, who, act, subject, reason }: AuditRow): string[] {
  return [String(seq), `${at.slice(0, 19)}Z`, who, act, subject, reason ?? ''].map(oneLine)
}

import { parseArgs } from 'node:util'
import { table } from '../../src/commands/text.ts'
import { type Growth, measureGrowth } from './run.ts'

const help = `npm run growth [-- options]: what a million bookings take on the disk, from as many as are made here, on servers of its
own. Each has two tickets, which are confirmed, printed and listed.

  --bookings N   how many are made and measured (2,000); a quarter as many are made before
  --json         one JSON object
`

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      bookings: { type: 'string', default: '2000' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const growth = await measureGrowth(Number(values.bookings), (line) => void process.stderr.write(`· ${line}\n`))
  process.stdout.write(values.json ? `${JSON.stringify(growth)}\n` : text(growth))
  for (const line of growth.violations) process.stdout.write(`NOT IN BALANCE: ${line}\n`)
  return growth.violations.length === 0 ? 0 : 1
}

/** Of each thing what one booking takes, and a million of them. */
function text({ bookings, sizes, turns, archivedTurns, events, updates }: Growth): string {
  const each = Object.entries(sizes).filter(([, bytes]) => bytes > bookings)
  const rows = each.map(([what, bytes]) => [what, ...columnsOf(bytes / bookings)])
  const stored = each.filter(([what]) => !/stream|archive/.test(what)).reduce((sum, [, bytes]) => sum + bytes, 0)
  const shares = Object.entries(updates).map(([name, { updates, hot }]) => [
    name,
    ...[String(updates), `${Math.round((hot * 100) / updates)} %`],
  ])
  return [
    `${bookings} bookings: ${(turns / bookings).toFixed(1)} turns each (${(archivedTurns / bookings).toFixed(1)} can be archived), ${(events / bookings).toFixed(1)} public events\n\n`,
    table([['', 'BYTES A BOOKING', 'GB A MILLION'], ...rows, ['Postgres together', ...columnsOf(stored / bookings)]]),
    '\n',
    table([['TABLE', 'UPDATES', 'WITHOUT TOUCHING AN INDEX'], ...shares]),
  ].join('')
}

const columnsOf = (bytes: number): string[] => [Math.round(bytes).toLocaleString('en'), (bytes / 1_000).toFixed(2)]

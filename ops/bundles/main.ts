import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { percentile } from '../percentile.ts'
import { type Ended, type Run, runBundles } from './run.ts'

const help = `npm run bundles [-- options]: VIP bundles that are all asked for at once, of services that fail, on servers of its own.
Waits until every one has ended, and ends with 1 when anything is out of balance: what the services have, the money, the
seats, the record.

  --bundles N   how many (1,000)
  --fault P     the share of all calls that go wrong, 0 to 1 (0.1)
  --json FILE   writes the figures there too
`

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      bundles: { type: 'string', default: '1000' },
      fault: { type: 'string', default: '0.1' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const progress = (line: string): void => void process.stderr.write(`· ${line}\n`)
  const run = await runBundles({ bundles: Number(values.bundles), fault: Number(values.fault), progress })
  const figures = figuresOf(run)
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ ...figures, violations: run.violations }, undefined, 2)}\n`)
  }
  process.stdout.write(text(figures))
  for (const line of run.violations) process.stdout.write(`NOT IN BALANCE: ${line}\n`)
  return run.violations.length === 0 ? 0 : 1
}

type Figures = { bundles: Record<string, number>; services: Record<string, Record<string, number>> }

function figuresOf({ bundles, totalMs, violations, report }: Run): Figures {
  const failed = bundles.filter(({ bundle }) => bundle.status === 'failed')
  const reasons: Record<string, number> = {}
  for (const one of failed) {
    const reason = `failed: ${reasonOf(one)}`
    reasons[reason] = (reasons[reason] ?? 0) + 1
  }
  const times = bundles.map(({ ms }) => ms)
  return {
    bundles: {
      'bundles asked for': bundles.length,
      succeeded: bundles.length - failed.length,
      ...reasons,
      'until all had ended, ms': totalMs,
      'bundles a second': Math.round((bundles.length * 1_000) / totalMs),
      'time to the end, median, ms': percentile(times, 0.5),
      'time to the end, p99, ms': percentile(times, 0.99),
      'out of balance': violations.length,
    },
    services: Object.fromEntries(
      Object.keys(report.calls).map((service) => [
        service,
        {
          calls: report.calls[service] ?? 0,
          repeats: report.repeats[service] ?? 0,
          ...struckBy(service, report.faults),
        },
      ]),
    ),
  }
}

function reasonOf({ bundle, booking }: Ended): string {
  const refused = Object.entries(bundle.parts).find(([, { outcome }]) => outcome === 'refused')
  if (refused) return `${refused[0]} refused`
  if (bundle.steps.every(({ name }) => name === 'booking')) return 'the show had too few seats'
  return booking.status === 'failed' ? 'Dead Nation refused' : (bundle.rollback_reason ?? 'unknown')
}

/** How often each kind of fault struck. */
function struckBy(service: string, faults: object): Record<string, number> {
  const set = (faults as Record<string, { struck: Record<string, number> } | { struck: Record<string, number> }[]>)[
    service
  ]
  const total: Record<string, number> = {}
  for (const { struck } of [set ?? []].flat()) {
    for (const [kind, count] of Object.entries(struck)) total[kind] = (total[kind] ?? 0) + count
  }
  return total
}

const columns = ['calls', 'repeats', 'status', 'reset_after_success', 'garbage', 'delay_ms', 'sold_out']

function text({ bundles, services }: Figures): string {
  const lines = Object.entries(bundles).map(([name, value]) => `${name.padEnd(44)}${value}`)
  const row = (name: string, cells: unknown[]): string =>
    [name.padEnd(16), ...cells.map((cell, index) => String(cell).padStart((columns[index]?.length ?? 0) + 3))].join('')
  const table = Object.entries(services).map(([name, counts]) =>
    row(
      name,
      columns.map((column) => counts[column] ?? 0),
    ),
  )
  return `\n${lines.join('\n')}\n\n${row('service', columns)}\n${table.join('\n')}\n`
}

import { type Metric, metricsOfDaemon } from './catalogue.ts'

/** The tables of `docs/metrics.md`: ours, and those that prom-client brings along. */
export function tablesOf(): string {
  const metrics = metricsOfDaemon()
  const isOurs = ({ name }: Metric): boolean => name.startsWith('turnstile_')
  const parts = [
    ['## Turnstile', metrics.filter(isOurs)],
    ['## Process and Node', metrics.filter((metric) => !isOurs(metric))],
  ] as const
  return parts.map(([title, rows]) => [title, '', ...tableOf(rows)].join('\n')).join('\n\n')
}

const tableOf = (metrics: Metric[]): string[] => [
  '| metric | type | labels | what it shows |',
  '|---|---|---|---|',
  ...metrics.map(({ name, type, labels, help }) => {
    const named = labels.map((label) => `\`${label}\``).join(', ')
    return `| \`${name}\` | ${type} | ${named} | ${help.replaceAll('|', '\\|')} |`
  }),
]

/** A rule of Prometheus that is shown to somebody. */
export type Alert = {
  alert: string
  /** `page` wakes somebody, `ticket` waits for the morning. */
  severity: 'page' | 'ticket'
  expr: string
  /** How long it must hold. */
  for: string
  /** What is wrong, in a line, of which installation. */
  summary: string
  /** What that means to customers or operators, with the figure. */
  description: string
}

/** A rule that gives an expression a name, because several alerts need it. */
export type Recording = { record: string; expr: string }

export type Group = { name: string; rules: (Alert | Recording)[] }

/** Where `docs/runbook.md` is read. Each entry's anchor is the alert's name in lower case. */
const runbook = 'https://turnstile.example/docs/runbook.md'

/** As Prometheus reads them. Everything is quoted but the names: JSON's strings are YAML's. */
export function toYaml(groups: Group[]): string {
  const lines = ['# Made by `npm run monitoring` from ops/prometheus/alerts.ts.', 'groups:']
  for (const { name, rules } of groups) {
    lines.push(`  - name: ${name}`, '    rules:')
    for (const rule of rules) lines.push(...('alert' in rule ? alertLines(rule) : recordingLines(rule)))
  }
  return `${lines.join('\n')}\n`
}

function alertLines({ alert, severity, expr, for: duration, summary, description }: Alert): string[] {
  return [
    `      - alert: ${alert}`,
    ...expressionLines(expr),
    `        for: ${duration}`,
    '        labels:',
    `          severity: ${severity}`,
    '        annotations:',
    `          summary: ${JSON.stringify(summary)}`,
    `          description: ${JSON.stringify(description)}`,
    `          runbook_url: ${JSON.stringify(`${runbook}#${alert.toLowerCase()}`)}`,
  ]
}

const recordingLines = ({ record, expr }: Recording): string[] => [
  `      - record: ${record}`,
  ...expressionLines(expr),
]

const expressionLines = (expr: string): string[] => [
  '        expr: |-',
  ...expr.split('\n').map((line) => `          ${line}`),
]

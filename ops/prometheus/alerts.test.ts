import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Series, seriesOfDaemon, targetLabels } from '../monitoring/catalogue.ts'
import { namesIn, unknownNamesIn } from '../monitoring/promql.ts'
import { alerts, groups, recordings } from './alerts.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))
const unitTests = readdirSync(folder).filter((file) => file.endsWith('.test.yaml'))
const committed = readFileSync(new URL('./alerts.yaml', import.meta.url), 'utf8')

const daemons = seriesOfDaemon()
/** With what the rules themselves record, which keeps the labels that it is grouped by. */
const series: Series = new Map([
  ...daemons,
  ...recordings.map(({ record, expr }) => [record, new Set(namesIn(expr).groupedBy)] as const),
])

describe('the alert rules', () => {
  it('ask for metrics and labels that there are', () => {
    const rules = groups.flatMap((group) => group.rules)
    const faults = rules.flatMap((rule) => {
      const name = 'alert' in rule ? rule.alert : rule.record
      return unknownNamesIn(rule.expr, series).map((fault) => `${name}: ${fault}`)
    })
    assert.deepEqual(faults, [])
  })

  it('are committed with every expression that is checked here', () => {
    const written = committed.split('\n').map((line) => line.trim())
    for (const { expr } of [...alerts, ...recordings])
      for (const line of expr.split('\n')) assert.ok(written.includes(line), line)
  })

  it('speak of labels that they have', () => {
    for (const { alert, expr, summary, description } of alerts) {
      const { groupedBy, metrics } = namesIn(expr)
      const own =
        groupedBy.length > 0 ? groupedBy : metrics.flatMap(({ name }) => [...(series.get(name) ?? targetLabels)])
      for (const [, label = ''] of `${summary} ${description}`.matchAll(/\$labels\.(\w+)/g))
        assert.ok(own.includes(label), `${alert} has no ${label}`)
    }
  })

  it('each have a name of their own, and wake somebody or not', () => {
    assert.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length)
    for (const { alert, severity, summary } of alerts) {
      assert.match(alert, /^Turnstile[A-Z]\w+$/)
      assert.match(severity, /^(page|ticket)$/)
      assert.ok(summary.length <= 80, summary)
    }
  })

  it('are each fired by a test', () => {
    const texts = unitTests.map((file) => readFileSync(new URL(file, import.meta.url), 'utf8')).join('\n')
    for (const { alert } of alerts) assert.match(texts, new RegExp(`labels: '\\{alertname="${alert}"`), alert)
  })
})

describe('the runbook', () => {
  const page = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8')
  const entries = page.split('\n### ').slice(1)
  const names = entries.map((entry) => entry.split('\n', 1)[0] ?? '')

  it('has an entry for each alert, in their order, and no other', () => {
    assert.deepEqual(
      names,
      alerts.map(({ alert }) => alert),
    )
  })

  it('says in each what it means, who notices, where to look, and what to do and not to do', () => {
    for (const [index, entry] of entries.entries()) {
      const parts = [...entry.matchAll(/^- \*\*(.+?):\*\* \S/gm)].map(([, part]) => part)
      assert.deepEqual(parts, ['Means', 'Who notices', 'Look', 'Do', 'Do not'], names[index])
    }
  })

  it('is where the alerts point to', () => {
    const anchors = [...committed.matchAll(/runbook_url: "https:\/\/[^#]+\/runbook\.md#(\w+)"/g)].map(
      ([, anchor]) => anchor,
    )
    assert.deepEqual(
      anchors,
      names.map((name) => name.toLowerCase()),
    )
  })
})

const promtool = process.env.PROMTOOL ?? 'promtool'
const isThere = spawnSync(promtool, ['--version']).status === 0

describe('promtool', { skip: isThere ? false : 'promtool is not installed: PROMTOOL names it' }, () => {
  it('takes the rules and the configuration', () => assertRuns('check', 'config', 'prometheus.yaml'))
  for (const file of unitTests) it(`finds that they do as ${file} says`, () => assertRuns('test', 'rules', file))
})

function assertRuns(...args: string[]): void {
  const { status, stdout, stderr } = spawnSync(promtool, args, { cwd: folder, encoding: 'utf8' })
  assert.equal(status, 0, `${stdout}${stderr}`)
}

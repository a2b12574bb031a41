import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { seriesOfDaemon, targetLabels } from '../monitoring/catalogue.ts'
import { namesIn, unknownNamesIn } from '../monitoring/promql.ts'

type Panel = {
  id: number
  type: string
  title: string
  description?: string
  gridPos: { x: number; y: number; w: number; h: number }
  targets?: { expr: string; legendFormat: string }[]
  fieldConfig?: { defaults: { unit?: string } }
}
type Dashboard = {
  uid: string
  title: string
  description: string
  panels: Panel[]
  templating: { list: { name: string; query: string | { query: string } }[] }
}

const folder = new URL('./dashboards/', import.meta.url)
const series = seriesOfDaemon()
const files = readdirSync(folder)

/** The committed files are looked at, as Grafana reads them, and not the code that makes them. */
for (const file of files) {
  const { panels, templating, ...dashboard }: Dashboard = JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
  const drawn = panels.filter(({ type }) => type !== 'row')
  const expressions = drawn.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target })))

  describe(`the dashboard ${file}`, () => {
    it('asks for metrics and labels that there are', () => {
      assert.ok(expressions.length > 0)
      const faults = expressions.flatMap(({ title, expr }) =>
        unknownNamesIn(expr, series).map((fault) => `${title}: ${fault}`),
      )
      assert.deepEqual(faults, [])
    })

    it('names its lines by labels that they have', () => {
      for (const { title, expr, legendFormat } of expressions) {
        const { metrics, groupedBy } = namesIn(expr)
        const own = /^\w+\(/.test(expr) ? groupedBy : metrics.flatMap(({ name }) => [...(series.get(name) ?? [])])
        for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
          assert.ok(own.includes(label), `${title}: ${label} is not in ${expr}`)
      }
    })

    it('lets every metric be chosen by namespace and instance', () => {
      for (const { title, expr } of expressions)
        for (const { name, labels } of namesIn(expr).metrics)
          assert.deepEqual(labels.slice(0, 2), ['namespace', 'instance'], `${title}: ${name}`)
    })

    it('asks for its variables where they are', () => {
      assert.deepEqual(
        templating.list.map(({ name }) => name),
        ['datasource', 'namespace', 'instance'],
      )
      for (const { query } of templating.list.slice(1)) {
        assert.ok(typeof query === 'object')
        const [, metric = '', label = ''] = /^label_values\((\w+)(?:\{.*\})?, (\w+)\)$/.exec(query.query) ?? []
        assert.ok(series.has(metric), query.query)
        assert.ok(targetLabels.includes(label), query.query)
      }
    })

    it('says of every panel what it shows, and in which unit', () => {
      assert.ok(dashboard.title && dashboard.description && dashboard.uid)
      for (const { title, description, fieldConfig } of drawn) {
        assert.ok(title && description?.endsWith('.'), title)
        assert.ok(fieldConfig?.defaults.unit, title)
      }
    })

    it('draws no panel over another', () => {
      assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
      const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
        assert.ok(x + w <= 24)
        return Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)}/${y + Math.floor(cell / w)}`)
      })
      assert.equal(new Set(cells).size, cells.length)
    })
  })
}

describe('the dashboards', () => {
  it('are the four that there are to be', () => {
    assert.deepEqual(files.sort(), ['business.json', 'engine.json', 'overview.json', 'services.json'])
  })

  it('together show every metric of ours', () => {
    const shown = files.map((file) => readFileSync(new URL(file, folder), 'utf8')).join('\n')
    const hidden = [...series.keys()]
      .map((name) => name.replace(/_(bucket|sum|count)$/, ''))
      .filter((name) => name.startsWith('turnstile_') && !new RegExp(`\\b${name}(_bucket|_sum|_count)?\\b`).test(shown))
    assert.deepEqual([...new Set(hidden)], [])
  })
})

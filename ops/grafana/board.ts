/** A dashboard of Grafana, as far as ours differ from each other. */
export type Board = {
  /** Names the file, and the dashboard in its URL. */
  uid: string
  title: string
  description: string
  rows: Row[]
}

export type Row = { title: string; panels: Panel[] }

export type Panel = {
  title: string
  /** What it shows, and what to think of it. */
  description: string
  /** How Grafana writes the values: `s`, `ops`, `short`, `percentunit`, `bytes`, `reqps`, `bool_on_off`. */
  unit: string
  kind: 'graph' | 'stat' | 'heatmap'
  targets: Target[]
  /** From where on a value is a warning and an alarm. */
  thresholds?: [warning: number, alarm: number]
  isStacked?: boolean
}

export type Target = {
  expr: string
  /** The name of each line; `{{label}}` stands for its label. */
  legend: string
}

const columns = 24
const panelsPerRow = 3
const height = 8
const datasource = { type: 'prometheus', uid: '$datasource' }

/** A metric, chosen by what the dashboard's variables say. */
export const of = (metric: string, ...matchers: string[]): string =>
  `${metric}{${['namespace=~"$namespace"', 'instance=~"$instance"', ...matchers].join(',')}}`

export const rate = (metric: string, ...matchers: string[]): string =>
  `rate(${of(metric, ...matchers)}[$__rate_interval])`

/** The time that so many of them take at most, of a histogram in seconds. */
export const quantile = (share: number, histogram: string, by: string[] = [], ...matchers: string[]): string =>
  `histogram_quantile(${share}, sum by (${['le', ...by].join(', ')}) (${rate(`${histogram}_bucket`, ...matchers)}))`

/** The whole model, as Grafana imports it. */
export function toModel({ uid, title, description, rows }: Board): object {
  return {
    uid,
    title,
    description,
    tags: ['turnstile'],
    schemaVersion: 39,
    editable: false,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    timezone: 'browser',
    links: [
      {
        title: 'Turnstile',
        type: 'dashboards',
        tags: ['turnstile'],
        asDropdown: false,
        keepTime: true,
        includeVars: true,
      },
    ],
    templating: { list: variables },
    panels: panelsOf(rows),
  }
}

const labelVariable = (name: string, label: string, query: string): object => ({
  name,
  label,
  type: 'query',
  datasource,
  query: { query, refId: name },
  definition: query,
  refresh: 2,
  sort: 1,
  includeAll: true,
  multi: true,
  // Also what has no such label, as without Kubernetes.
  allValue: '.*',
  current: { text: 'All', value: '$__all' },
})

const variables = [
  { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {} },
  labelVariable('namespace', 'Namespace', 'label_values(turnstile_workers, namespace)'),
  labelVariable('instance', 'Instance', 'label_values(turnstile_workers{namespace=~"$namespace"}, instance)'),
]

function panelsOf(rows: Row[]): object[] {
  const models: object[] = []
  let y = 0
  for (const row of rows) {
    models.push({
      id: models.length + 1,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y, w: columns, h: 1 },
      panels: [],
    })
    y += 1
    const w = columns / Math.min(panelsPerRow, row.panels.length)
    for (const [index, panel] of row.panels.entries()) {
      const place = { x: (index % panelsPerRow) * w, y: y + Math.floor(index / panelsPerRow) * height, w, h: height }
      models.push({ id: models.length + 1, gridPos: place, ...panelModel(panel) })
    }
    y += Math.ceil(row.panels.length / panelsPerRow) * height
  }
  return models
}

function panelModel({ title, description, unit, kind, targets, thresholds, isStacked }: Panel): object {
  return {
    type: { graph: 'timeseries', stat: 'stat', heatmap: 'heatmap' }[kind],
    title,
    description,
    datasource,
    targets: targets.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource,
      expr,
      legendFormat: legend,
      range: true,
      ...(kind === 'heatmap' && { format: 'heatmap' }),
    })),
    fieldConfig: { defaults: { unit, min: 0, ...looksOf(kind, isStacked), ...colorsOf(thresholds) }, overrides: [] },
    options: optionsOf(kind, unit),
  }
}

function looksOf(kind: Panel['kind'], isStacked = false): object {
  if (kind !== 'graph') return {}
  const stacking = { mode: isStacked ? 'normal' : 'none', group: 'A' }
  return { custom: { lineWidth: 1, fillOpacity: isStacked ? 25 : 10, showPoints: 'never', stacking } }
}

function colorsOf(thresholds: Panel['thresholds']): object {
  if (!thresholds) return {}
  const [warning, alarm] = thresholds
  const steps = [
    { color: 'green', value: null },
    { color: 'orange', value: warning },
    { color: 'red', value: alarm },
  ]
  return { thresholds: { mode: 'absolute', steps } }
}

function optionsOf(kind: Panel['kind'], unit: string): object {
  switch (kind) {
    case 'graph':
      return {
        legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
        tooltip: { mode: 'multi', sort: 'desc' },
      }
    case 'stat':
      return {
        colorMode: 'value',
        graphMode: 'area',
        reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      }
    case 'heatmap':
      return { calculate: false, cellGap: 1, color: { mode: 'scheme', scheme: 'Blues', steps: 32 }, yAxis: { unit } }
  }
}

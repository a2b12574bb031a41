import { readFileSync } from 'node:fs'
import path from 'node:path'
import { toModel } from '../grafana/board.ts'
import { boards } from '../grafana/index.ts'
import { groups } from '../prometheus/alerts.ts'
import { toYaml } from '../prometheus/rules.ts'
import { projectFolder } from '../sandbox/folders.ts'
import { tablesOf } from './page.ts'

const metricsPage = 'docs/metrics.md'
const [begin, end] = ['<!-- made by npm run monitoring -->', '<!-- as far as here -->']

/** What is made from the code and committed: each file's path from the project's root, and its text. */
export function generatedFiles(): Map<string, string> {
  const dashboards = boards.map((board): [string, string] => {
    const name = board.uid.replace('turnstile-', '')
    return [`ops/grafana/dashboards/${name}.json`, `${JSON.stringify(toModel(board), null, 2)}\n`]
  })
  return new Map([
    ...dashboards,
    ['ops/prometheus/alerts.yaml', toYaml(groups)],
    [metricsPage, withTables(readFileSync(path.join(projectFolder, metricsPage), 'utf8'))],
  ])
}

/** The page with its tables made anew; the rest of it is written by hand. */
function withTables(page: string): string {
  const [before = '', rest] = page.split(begin)
  const after = rest?.split(end)[1]
  if (after === undefined) throw new Error(`${metricsPage} has no place for its tables`)
  return `${before}${begin}\n\n${tablesOf()}\n\n${end}${after}`
}

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { projectFolder } from '../sandbox/folders.ts'
import { metricsOfDaemon, seriesOfDaemon } from './catalogue.ts'
import { generatedFiles } from './files.ts'

test('what is committed is what the code makes', () => {
  for (const [file, text] of generatedFiles()) {
    const committed = readFileSync(path.join(projectFolder, file), 'utf8')
    assert.ok(committed === text, `${file} differs from the code: run npm run monitoring`)
  }
})

test('no dashboard is left over', () => {
  const files = readdirSync(path.join(projectFolder, 'ops/grafana/dashboards')).map(
    (file) => `ops/grafana/dashboards/${file}`,
  )
  const made = [...generatedFiles().keys()].filter((file) => file.endsWith('.json'))
  assert.deepEqual(files.sort(), made.sort())
})

/** The groups of src/store/roles.sql, and their logins. */
const roles = /^turnstile_(?:ingress|worker|effects|projector|operator|archiver|eraser)(?:_\d+)?$/

test('every page names only metrics that there are', () => {
  const known = new Set([...seriesOfDaemon().keys(), ...metricsOfDaemon().map(({ name }) => name)])
  const pages = readdirSync(path.join(projectFolder, 'docs')).filter((file) => file.endsWith('.md'))
  for (const page of [...pages.map((file) => `docs/${file}`), 'README.md']) {
    const named = readFileSync(path.join(projectFolder, page), 'utf8').matchAll(/\bturnstile_[a-z0-9_]+/g)
    const unknown = [...named].map(([name]) => name).filter((name) => !known.has(name) && !roles.test(name))
    assert.deepEqual(unknown, [], page)
  }
})

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { errorCatalogue } from '../errors.ts'
import { problemCatalogue } from './problems.ts'

const [problemsPart = '', codesPart = ''] = readFileSync(
  new URL('../../docs/errors.md', import.meta.url),
  'utf8',
).split('## Codes')

/** The first two columns of a table, by the first. */
function tableIn(markdown: string): Record<string, string> {
  const rows = [...markdown.matchAll(/^\| `([\w-]+)` \| (\w+) \| .+ \| .+ \|$/gm)]
  return Object.fromEntries(rows.map(([, code, second]) => [code, second]))
}

test('docs/errors.md lists the problems of the code, no more and no fewer', () => {
  const inCode = Object.entries(problemCatalogue).map(([code, { status }]) => [code, String(status)])
  assert.deepEqual(tableIn(problemsPart), Object.fromEntries(inCode))
})

test('docs/errors.md lists the codes of the code, no more and no fewer', () => {
  assert.deepEqual(tableIn(codesPart), { ...errorCatalogue })
})

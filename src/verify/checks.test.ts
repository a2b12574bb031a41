import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { checks } from './checks.ts'

test('docs/verify.md has every check, in the order of the report', () => {
  const text = readFileSync(new URL('../../docs/verify.md', import.meta.url), 'utf8')
  const rows = [...text.matchAll(/^\| `(\w+)` \| (.+) \|$/gm)].map(([, name, holds]) => [
    name,
    holds?.replaceAll('`', ''),
  ])
  assert.deepEqual(
    rows,
    Object.entries(checks).map(([name, { holds }]) => [name, holds]),
  )
})

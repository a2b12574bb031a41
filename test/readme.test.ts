import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

const root = new URL('../', import.meta.url)
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8')

test("the README's table of hops names functions where they are", () => {
  const hops = [...read('README.md').matchAll(/^\| \w+ \| `(src\/\S+\.ts)` \| `(\S+)`/gm)]
  assert.equal(hops.length, 6)
  for (const [, file = '', name = ''] of hops) {
    const code = read(file)
    const [owner = '', method] = name.split('.')
    assert.match(code, new RegExp(`export (class|(async )?function) ${owner}\\b`), `${file}: ${name}`)
    if (method !== undefined) assert.match(code, new RegExp(`^  (async )?${method}\\(`, 'm'), `${file}: ${name}`)
  }
})

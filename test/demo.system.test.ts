import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { projectFolder } from '../ops/sandbox/folders.ts'

test('the tour shows what it tells, and ends with 0', async () => {
  const child = spawn(process.execPath, ['ops/demo.mjs'], { cwd: projectFolder, stdio: ['ignore', 'pipe', 'inherit'] })
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  assert.equal(code, 0, out)
  for (const heading of ['A show sells out', 'A service breaks, and is mended', 'A VIP bundle is rolled back'])
    assert.match(out, new RegExp(`^── ${heading} ──$`, 'm'))
  assert.match(out, /^ {3}⚡ VipBundleFinalized_v1 +\S.*success false/m)
  assert.equal(out.match(/^ {3}✔ /gm)?.length, 11)
  // Colours are for terminals.
  assert.ok(!out.includes('\x1b'))
})

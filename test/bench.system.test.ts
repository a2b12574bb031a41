import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import { picturesOf } from '../ops/bench/draw/pictures.ts'
import type { Figures } from '../ops/bench/figures.ts'
import { standardNames } from '../ops/bench/workloads/index.ts'

test('npm run bench -- --quick measures every workload, and its figures can be drawn', (t) => {
  const folder = mkdtempSync(path.join(process.env.TEST_FOLDER ?? tmpdir(), 'bench-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'figures.json')
  const run = spawnSync(process.execPath, ['ops/bench.mjs', '--quick', '--json', file], { encoding: 'utf8' })
  assert.equal(run.status, 0, `${run.stderr}\n${run.stdout}`)

  const figures = JSON.parse(readFileSync(file, 'utf8')) as Figures
  const measured = new Set(figures.runs.map(({ workload }) => workload))
  assert.deepEqual([...measured], standardNames)
  for (const { workload, condition, walBytes, memoryMb, storedMessages, subject } of figures.runs) {
    const what = `${workload}, ${condition}, ${subject}`
    assert.ok(walBytes > 0, what)
    assert.ok((memoryMb.daemon ?? memoryMb.workers ?? 0) > 0, what)
    assert.ok(subject !== 'turnstile' || storedMessages > 0, what)
  }
  assert.equal(picturesOf(figures).size, 4)
})

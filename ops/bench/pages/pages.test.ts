import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { aRun, someFigures } from '../figures.fixtures.ts'
import type { Run } from '../figures.ts'
import { renewBlocks } from './blocks.ts'
import { performanceBlocks } from './performance.ts'
import { scaleBlocks } from './scale.ts'
import { tracingBlocks } from './tracing.ts'

const withWorkers = (condition: string, workers: number): Run =>
  aRun({ workload: 'workers', condition, cpuMicroseconds: { ingress: 60, workers, postgres: 60, nats: 40 } })

const figures = someFigures(
  aRun({}),
  withWorkers('1 worker', 100),
  withWorkers('2 workers', 120),
  withWorkers('4 workers', 130),
  aRun({ workload: 'cells', condition: '1 cell' }),
  aRun({ workload: 'tracing', condition: 'off' }),
  aRun({ workload: 'tracing', condition: '10 %', perSecond: 990 }),
  aRun({ workload: 'commands', condition: 'ReleaseSeats', unit: 'turns' }),
  aRun({ workload: 'open', condition: 'ceiling', perSecond: 2_000 }),
  aRun({ workload: 'open', condition: '50 %' }),
)

test('a block is put in its place, and what is around it stays', () => {
  const page = 'a\n<!-- bench: x -->\nold\n<!-- end -->\nb\n<!-- bench: y -->\nkept\n<!-- end -->\n'
  const renewed = 'a\n<!-- bench: x -->\nnew $& $1\n<!-- end -->\nb\n<!-- bench: y -->\nkept\n<!-- end -->\n'
  assert.equal(renewBlocks(page, new Map([['x', 'new $& $1']])), renewed)
})

test('the pages have a place for every block, and no place without one', () => {
  for (const [file, blocks] of [
    ['docs/performance.md', performanceBlocks(figures)],
    ['docs/scale.md', scaleBlocks(figures)],
    ['docs/tracing.md', tracingBlocks(figures)],
  ] as const) {
    const places = [...readFileSync(file, 'utf8').matchAll(/<!-- bench: (\S+) -->/g)].map(([, name]) => name)
    assert.deepEqual(places.sort(), [...blocks.keys()].sort(), file)
    for (const block of blocks.values()) assert.doesNotMatch(block, /NaN|undefined|Infinity/)
  }
})

test('a run of one workload renews what it knows', () => {
  assert.deepEqual([...scaleBlocks(someFigures(aRun({}))).keys()], [])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runBundles } from '../ops/bundles/run.ts'

test('bundles that are asked for at once, of services that fail, all end in balance', async (t) => {
  const progress = (line: string) => t.diagnostic(line)
  const { bundles, violations, report } = await runBundles({ bundles: 40, fault: 0.1, progress })
  assert.deepEqual(violations, [])
  const ends = bundles.map(({ bundle }) => bundle.status)
  assert.ok(ends.includes('succeeded') && ends.includes('failed'))
  const struck = JSON.stringify(report.faults)
  for (const kind of ['status', 'reset_after_success', 'garbage', 'delay_ms']) {
    assert.match(struck, new RegExp(`"struck":{[^}]*"${kind}":`))
  }
})

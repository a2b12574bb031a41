import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pictureOf } from '../ops/soak/picture.ts'
import { runSoak } from '../ops/soak/run.ts'

test('visitors of every kind get what they come for, and what that costs is seen', async (t) => {
  const progress = (line: string) => t.diagnostic(line)
  const { samples, served, failures, violations } = await runSoak({ minutes: 0.05, perSecond: 12, progress })
  assert.deepEqual(failures, [])
  assert.deepEqual(violations, [])
  for (const [name, count] of Object.entries(served)) assert.ok(count > 0, name)
  for (const { daemonMb, heapUsedMb, natsMb, tablesMb, streams } of samples) {
    assert.ok(daemonMb > 0 && heapUsedMb > 0 && natsMb > 0 && Number(tablesMb.turn) > 0)
    assert.ok('turnstile-mailbox' in streams)
  }
  assert.match(pictureOf(samples), /^<svg [\s\S]*<\/svg>\n$/)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runFaults } from './faults/run.ts'

/** In small what `npm run faults` does at length. */
test('while workers, broker, database and connections are broken, nothing that was answered is lost or done twice', async (t) => {
  const { violations, storm, counts } = await runFaults({
    // What effects had in hand comes again after 30 s. In this order that is over when the storm is.
    seed: 48,
    kills: 5,
    isThorough: false,
    customers: 8,
    leaseMs: 1_000,
    progress: (line) => t.diagnostic(line),
  })
  t.diagnostic(JSON.stringify(counts))
  assert.deepEqual(violations, [])
  assert.equal(storm.kills.length, 5)
  assert.equal(storm.blows.length, 12)
  assert.ok(storm.kills.some(({ orphans }) => orphans.length > 0))
  const signs = [
    'commits whose end was unknown',
    'lost connections to NATS',
    'streams found to be lost',
    'partitions redriven',
  ]
  for (const what of ['bookings', 'bundles', 'refunds', ...signs]) assert.ok((counts[what] ?? 0) > 0, `no ${what}`)
})

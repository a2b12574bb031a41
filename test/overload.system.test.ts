import assert from 'node:assert/strict'
import { test } from 'node:test'
import { figuresOf } from '../ops/overload/figures.ts'
import { runOverload } from '../ops/overload/run.ts'

test('at three times what the daemon can do, whoever is not served is told so, and nothing acknowledged is lost', async (t) => {
  const overload = await runOverload({
    capacitySeconds: 1,
    calmSeconds: 1,
    times: 3,
    overloadSeconds: 3,
    recoverySeconds: 3,
    profile: undefined,
    progress: (line) => t.diagnostic(line),
  })
  const { goodputShare, phases, lost, acknowledged } = figuresOf(overload)
  t.diagnostic(`goodput ${Math.round(goodputShare * 100)} %, ${Math.round(phases.overload.refused)} refused a second`)
  // On a machine that others use too, what it can do was perhaps found out in a bad moment: then nobody need be refused.
  assert.ok(phases.overload.booked > 0 && phases.recovery.booked > 0)
  const outcomes = new Set(overload.load.seconds.flatMap((second) => Object.keys(second)))
  assert.ok(!outcomes.has('503 without Retry-After'))
  assert.ok(acknowledged > 0)
  assert.equal(lost, 0)
  assert.deepEqual(overload.violations, [])
})

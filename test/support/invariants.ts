import assert from 'node:assert/strict'
import { verifyRecord, violationsOf } from '../../ops/record.ts'

/**
 * Holds everything against the journal, as `turnstile verify` does.
 *
 * @returns what was read, so that a test can see that there was something to find
 */
export async function checkInvariants({
  postgres,
}: {
  postgres: { url: string }
}): Promise<{ actors: number; turns: number }> {
  const findings = await verifyRecord(postgres.url, 600_000)
  assert.deepEqual(violationsOf(findings), [])
  const { states, positions } = findings.verdicts
  return { actors: states.looked, turns: positions.looked }
}

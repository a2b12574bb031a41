import assert from 'node:assert/strict'
import { actors } from '../../actors/index.ts'
import { projections } from '../../src/projections/index.ts'
import { openInspection } from '../../src/store/postgres-inspection.ts'
import { verify } from '../../src/verify/verify.ts'

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
  const inspection = openInspection({ url: postgres.url, applicationName: 'test', deadlineMs: 60_000 })
  try {
    const { verdicts } = await verify(inspection, {
      actors,
      readModels: projections,
      graceMs: 600_000,
      onProgress: () => {},
    })
    const broken = Object.entries(verdicts).filter(([, { differences }]) => differences > 0)
    assert.deepEqual(broken, [])
    return { actors: verdicts.states.looked, turns: verdicts.positions.looked }
  } finally {
    await inspection.close()
  }
}

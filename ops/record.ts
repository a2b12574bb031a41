import { setTimeout as sleep } from 'node:timers/promises'
import type postgres from 'postgres'
import { actors } from '../actors/index.ts'
import { openArchive } from '../src/archive/read.ts'
import { projections } from '../src/projections/index.ts'
import { openInspection } from '../src/store/postgres-inspection.ts'
import type { Findings } from '../src/verify/findings.ts'
import { verify } from '../src/verify/verify.ts'

/** The bookings of these that are not there as made: acknowledged and lost. */
export async function findLost(sql: postgres.Sql, bookings: string[]): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from unnest(${bookings}::text[]) as wanted(id)
    where not exists (select from actor where kind = 'booking' and actor.id = wanted.id::uuid and state->>'status' = 'made')`
  return rows.map(({ id }) => id)
}

/**
 * What `turnstile verify` finds.
 *
 * @param graceMs how long what was sent or called for may wait before it counts as lost
 */
export async function verifyRecord(url: string, graceMs: number): Promise<Findings> {
  const inspection = openInspection({ url, applicationName: 'verify', deadlineMs: 60_000 })
  try {
    return await verify(inspection, {
      actors,
      readModels: projections,
      archive: openArchive(),
      graceMs,
      onProgress: () => {},
    })
  } finally {
    await inspection.close()
  }
}

/** The same, as soon as nothing is under way any more. What stays under way is for the checks to find. */
export async function settledRecord(url: string, patienceMs: number): Promise<Findings> {
  const untilMs = Date.now() + patienceMs
  for (;;) {
    const findings = await verifyRecord(url, 0)
    const { sends, calls } = findings.waiting
    const isQuiet = findings.isClean && sends.count + calls.count === 0
    if (isQuiet || Date.now() > untilMs) return findings
    await sleep(500)
  }
}

/** One line for each check that does not hold. */
export function violationsOf({ verdicts }: Findings): string[] {
  return Object.entries(verdicts)
    .filter(([, { differences }]) => differences > 0)
    .map(([check, { differences, first }]) => `verify ${check}: ${differences}: ${JSON.stringify(first)}`)
}

import { setTimeout as sleep } from 'node:timers/promises'
import { actors } from '../actors/index.ts'
import { openInspection } from '../src/store/postgres-inspection.ts'
import type { Findings } from '../src/verify/findings.ts'
import { verify } from '../src/verify/verify.ts'

/** What `turnstile verify` finds, as soon as nothing is under way any more. What stays under way is for its checks to find. */
export async function settledFindings(url: string, patienceMs: number): Promise<Findings> {
  const inspection = openInspection({ url, applicationName: 'ops', deadlineMs: 60_000 })
  try {
    const untilMs = Date.now() + patienceMs
    for (;;) {
      const findings = await verify(inspection, { actors, graceMs: 0, onProgress: () => {} })
      const { sends, calls } = findings.waiting
      const isQuiet = findings.isClean && sends.count + calls.count === 0
      if (isQuiet || Date.now() > untilMs) return findings
      await sleep(500)
    }
  } finally {
    await inspection.close()
  }
}

/** One line for each check that something was found by. */
export const differencesOf = ({ verdicts }: Findings): string[] =>
  Object.entries(verdicts)
    .filter(([, { differences }]) => differences > 0)
    .map(([check, { differences, first }]) => `verify ${check}: ${differences}: ${JSON.stringify(first)}`)

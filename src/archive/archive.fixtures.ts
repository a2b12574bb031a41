import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { actors } from '../../actors/index.ts'
import { readJournal, recordedJournals } from '../../ops/record-journal/file.ts'
import { show } from '../journal/show.ts'
import { projections } from '../projections/index.ts'
import { openArchiveStore } from '../store/archive.ts'
import type { ConnectionOptions } from '../store/connection.ts'
import type { WholeRecord } from '../store/memory-inspection.ts'
import { openInspection } from '../store/postgres-inspection.ts'
import type { Findings } from '../verify/findings.ts'
import { readModelsOf } from '../verify/read-models.fixtures.ts'
import { verify } from '../verify/verify.ts'
import { archiveTurns } from './archive.ts'
import { openArchive } from './read.ts'

/** The newest recorded journal, so long ago that nothing can be on its way any more. */
export function oldRecord(): WholeRecord {
  const record = readJournal(recordedJournals().at(-1) ?? '')
  for (const turn of record.turns) turn.at = turn.at.replace(/^\d{4}/, '2020')
  record.readModels = readModelsOf(record)
  return record
}

/** As the command does it, on a day when all shows are over. @returns how many turns were moved, or would be */
export async function archiveTo(
  folder: string,
  connection: ConnectionOptions,
  options: { isDryRun?: boolean; beforeMs?: number } = {},
): Promise<number> {
  const store = openArchiveStore(connection)
  try {
    const tally = await archiveTurns({
      ...{ store, actors, archive: openArchive(), folder, isDryRun: options.isDryRun ?? false },
      beforeMs: options.beforeMs ?? Date.parse('2021-01-01T00:00:00Z'),
      nowMs: Date.parse('2040-01-01T00:00:00Z'),
      onProgress: () => {},
    })
    return Object.values(tally).reduce((sum, { turns }) => sum + turns, 0)
  } finally {
    await store.close()
  }
}

/** @param folder where the archive lies, when that is no longer where it was written */
export async function verified(connection: ConnectionOptions, folder?: string): Promise<Findings> {
  const inspection = openInspection(connection)
  try {
    const archive = openArchive(folder)
    return await verify(inspection, {
      ...{ actors, readModels: projections, archive, graceMs: 600_000 },
      onProgress: () => {},
    })
  } finally {
    await inspection.close()
  }
}

export async function shown(connection: ConnectionOptions, ...args: string[]): Promise<string> {
  const inspection = openInspection(connection)
  const out: string[] = []
  try {
    await show(args, inspection, (text) => out.push(text))
    return out.join('')
  } finally {
    await inspection.close()
  }
}

/** The files that there are, and those that the manifests name. */
export async function filesIn(folder: string): Promise<{ found: string[]; listed: string[] }> {
  const all = await readdir(folder, { recursive: true })
  const manifests = all.filter((name) => name.endsWith('manifest.json'))
  const listed = await Promise.all(
    manifests.map(async (name) => {
      const { files } = JSON.parse(await readFile(path.join(folder, name), 'utf8')) as { files: { name: string }[] }
      return files.map((file) => path.join(path.dirname(name), file.name))
    }),
  )
  return { found: all.filter((name) => /gz|part$/.test(name)).sort(), listed: listed.flat().sort() }
}

import { readdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { misused } from '../commands/options.ts'
import type { ArchiveFile } from '../engine/archive-ports.ts'
import { folderOf } from './folders.ts'
import { syncFolder, writeDurably } from './write.ts'

const manifestName = 'manifest.json'

type Entry = Pick<ArchiveFile, 'name' | 'turns' | 'firstActor' | 'lastActor' | 'lastPosition' | 'sha256'>

/**
 * Says beside the files of a partition what they are, for whoever has the archive and no database. What the database knows
 * counts; this is written anew from it.
 *
 * @param files those of the partition that lie in this archive
 */
export async function writeManifest(archive: string, partition: number, files: ArchiveFile[]): Promise<void> {
  const entries = files.map(
    ({ name, turns, firstActor, lastActor, lastPosition, sha256 }): Entry => ({
      ...{ name, turns, firstActor, lastActor, lastPosition, sha256 },
    }),
  )
  const text = `${JSON.stringify({ partition, format: 'a turn a line, JSON, gzip', files: entries }, undefined, 2)}\n`
  await writeDurably(path.join(folderOf(archive, partition), manifestName), text)
}

/**
 * Clears away what nobody will come back for: a file whose writer was killed before it was recorded, and one in whose place
 * another is recorded. Before it goes, the manifest says what the database does.
 *
 * @throws `config-invalid` when files lie there that another database has recorded
 */
export async function clearFolder(archive: string, partition: number, files: ArchiveFile[]): Promise<void> {
  const folder = folderOf(archive, partition)
  const known = new Set(files.map(({ name }) => name))
  const found = await readdir(folder).catch((): string[] => [])
  const there = files.filter(({ name }) => found.includes(name))
  const listed = await listedIn(folder)
  const unknown = listed.filter(({ name }) => !known.has(name))
  const foreign = unknown.find((entry) => !there.some((file) => hasSameTurns(file, entry)))
  if (foreign !== undefined) {
    const advice = 'it is of another database, or of a later state of this one. Each needs a folder of its own.'
    throw misused(`${path.join(folder, foreign.name)} is in no list of this database: ${advice}`)
  }
  if (unknown.length > 0) await writeManifest(archive, partition, files)
  const left = found
    .filter((name) => name !== manifestName && !known.has(name))
    .filter((name) => /\.(jsonl\.gz|part)$/.test(name))
  for (const name of left) await rm(path.join(folder, name))
  if (left.length > 0) await syncFolder(folder)
}

/** A turn lies in one file alone, so the last one tells; the others tell files of another database apart. */
const hasSameTurns = (one: Entry, other: Entry): boolean =>
  one.lastPosition === other.lastPosition &&
  one.turns === other.turns &&
  one.firstActor === other.firstActor &&
  one.lastActor === other.lastActor

async function listedIn(folder: string): Promise<Entry[]> {
  try {
    const { files } = JSON.parse(await readFile(path.join(folder, manifestName), 'utf8')) as { files: Entry[] }
    return files
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

import { readdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { misused } from '../dead-letters/command.ts'
import type { ArchiveFile } from '../engine/archive-ports.ts'
import { folderOf } from './folders.ts'
import { writeDurably } from './write.ts'

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
 * Clears away what an archiver left that was killed before its file was recorded.
 *
 * @throws `config-invalid` when files lie there that another database has recorded
 */
export async function clearFolder(archive: string, partition: number, files: ArchiveFile[]): Promise<void> {
  const folder = folderOf(archive, partition)
  const known = new Set(files.map(({ name }) => name))
  const listed = await listedIn(folder)
  const foreign = listed.find((name) => !known.has(name))
  if (foreign !== undefined) {
    const advice = 'it is of another database, or of a later state of this one. Archive to another folder.'
    throw misused(`${path.join(folder, foreign)} is in no list of this database: ${advice}`)
  }
  const found = await readdir(folder).catch(() => [])
  const left = found.filter((name) => name !== manifestName && !known.has(name))
  for (const name of left.filter((name) => /\.(jsonl\.gz|part)$/.test(name))) await rm(path.join(folder, name))
}

async function listedIn(folder: string): Promise<string[]> {
  try {
    const { files } = JSON.parse(await readFile(path.join(folder, manifestName), 'utf8')) as { files: Entry[] }
    return files.map(({ name }) => name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

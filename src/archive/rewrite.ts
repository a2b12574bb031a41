import { crashPoint } from '../crash-points.ts'
import type { Archive, ArchiveFile } from '../engine/archive-ports.ts'
import type { TurnRecord } from '../engine/ports.ts'
import type { ArchiveStore } from '../store/archive.ts'
import { clearFolder, writeManifest } from './manifest.ts'
import { openArchive, unreadable } from './read.ts'
import { writeArchiveFile } from './write.ts'

export type RewriteOptions = {
  store: Pick<ArchiveStore, 'reaches' | 'files' | 'replace'>
  /** Where the archive lies, when that is no longer where it was written. */
  folder?: string | undefined
  /** The turn as it is to be: the very same when it stays. */
  change(turn: TurnRecord): TurnRecord
  /** Nothing is written. */
  isDryRun: boolean
  onProgress(files: number, all: number): void
}

/**
 * Writes the files anew that have turns which change, one after the other, for whoever holds the archive:
 *
 *     write a file ──▶ record it in the old one's place ──▶ write the manifest ──▶ remove the old one
 *
 * At each moment the file that is recorded is on the disk, whole. What somebody leaves who is killed is cleared away by the next
 * one, or by an archiver. In memory are the turns of one file.
 *
 * @returns how many files have such turns
 * @throws `archive-unreadable` before anything is written, `config-invalid` as `clearFolder` does
 */
export async function rewriteFiles({ store, folder, change, isDryRun, onProgress }: RewriteOptions): Promise<number> {
  const archive = openArchive(folder)
  const files = await store.files()
  await checkAll(archive, files)
  const placeOf = (file: ArchiveFile): string => folder ?? file.folder
  const lyingIn = (place: string, partition: number) =>
    files.filter((file) => file.partition === partition && placeOf(file) === place)
  const places = isDryRun ? [] : new Set(files.map(placeOf))
  for (const place of places)
    for (const { partition } of await store.reaches()) await clearFolder(place, partition, lyingIn(place, partition))
  let rewritten = 0
  for (const [index, file] of files.entries()) {
    const turns = await changedTurns(archive, file, change)
    if (turns) rewritten += 1
    if (turns && !isDryRun) {
      const { partition } = file
      const place = placeOf(file)
      files[index] = await replace(file, turns, place, store)
      await writeManifest(place, partition, lyingIn(place, partition))
      await clearFolder(place, partition, lyingIn(place, partition))
    }
    onProgress(index + 1, files.length)
  }
  return rewritten
}

/** A folder in which files are missing may be another one. */
async function checkAll(archive: Archive, files: ArchiveFile[]): Promise<void> {
  for (const file of files) {
    const fault = await archive.faultOf(file)
    if (fault !== undefined) throw unreadable(fault)
  }
}

/** @returns all turns of the file, or nothing when they stay as they are */
async function changedTurns(
  archive: Archive,
  file: ArchiveFile,
  change: RewriteOptions['change'],
): Promise<TurnRecord[] | undefined> {
  const turns: TurnRecord[] = []
  let isChanged = false
  for await (const page of archive.turns(file)) {
    for (const turn of page) {
      const changed = change(turn)
      isChanged ||= changed !== turn
      turns.push(changed)
    }
  }
  return isChanged ? turns : undefined
}

/** It is recorded as lying where the old one was written: if it lies elsewhere, it does with all the others. */
async function replace(
  file: ArchiveFile,
  turns: TurnRecord[],
  place: string,
  store: RewriteOptions['store'],
): Promise<ArchiveFile> {
  const { partition, settledBefore } = file
  const number = Number.parseInt(file.name, 10)
  const { name, sha256, blocks } = await writeArchiveFile(place, { partition, number, turns, settledBefore })
  crashPoint('archive-written')
  const by = { ...file, name, sha256, blocks }
  await store.replace(file, by)
  crashPoint('archive-replaced')
  return by
}

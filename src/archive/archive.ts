import { setTimeout as sleep } from 'node:timers/promises'
import { crashPoint } from '../crash-points.ts'
import type { Archive, ArchiveFile, ArchiveMark } from '../engine/archive-ports.ts'
import { keyOf } from '../engine/cache.ts'
import type { Actors } from '../engine/parse.ts'
import type { TurnRecord } from '../engine/ports.ts'
import { findLost, positionBefore } from '../engine/redrive.ts'
import { TurnstileError } from '../errors.ts'
import type { ArchiveStore, Reach } from '../store/archive.ts'
import { compareTurns } from './lives.ts'
import { clearFolder, writeManifest } from './manifest.ts'
import { oldTurns, type Tally } from './old-turns.ts'
import { writeArchiveFile } from './write.ts'

/** A file has no more, so that it can be in memory while it is written. */
const turnsAFile = 20_000
/** So many turns go with one statement: it takes some hundredths of a second. */
const turnsAStep = 1_000
/**
 * What was sent so long after the youngest turn that goes must have been taken too: clocks of those who accept messages may
 * differ by as much, and the times in a journal are out of order by as much.
 */
const marginMs = 3_600_000

export type ArchiveOptions = {
  store: ArchiveStore
  archive: Archive
  actors: Actors
  /** Where new files go. */
  folder: string
  /** Turns of messages that were accepted before. Milliseconds since 1970. */
  beforeMs: number
  nowMs: number
  /** This one alone. */
  partition?: number | undefined
  /** Nothing is written. */
  isDryRun: boolean
  onProgress(partition: number, turns: number): void
}

/**
 * Moves old turns of actors that have ended from the journal into files, a partition at a time:
 *
 *     look what is unsettled ──▶ write a file ──▶ record it ──▶ mark its actors ──▶ remove its turns ──▶ note that
 *                                └─────────────── again, until nothing old is left ──────────────────────────┘
 *
 * At each moment all turns are in the journal or in a file that is on the disk and recorded, and as long as the file is not
 * noted as dropped they may be in both. So whoever is killed loses nothing, and the next one goes on with the file that is not
 * dropped yet; a file that is not recorded yet is thrown away.
 *
 * @throws `archive-busy`, `archive-unreadable` when a file is broken whose turns were to be removed, `config-invalid`
 */
export async function archiveTurns(options: ArchiveOptions): Promise<Tally> {
  const { store, beforeMs, isDryRun } = options
  if (!isDryRun) await holdArchive(store)
  const reaches = await store.reaches()
  const settledBefore = new Date(beforeMs + marginMs).toISOString()
  const unsettled = await findUnsettled(reaches, settledBefore, options)
  const files = await store.files()
  const tally: Tally = {}
  for (const reach of reaches) {
    if (options.partition !== undefined && options.partition !== reach.partition) continue
    const own = files.filter(({ partition }) => partition === reach.partition)
    await archivePartition(reach, own, { settledBefore, unsettled }, options, tally)
  }
  return tally
}

/**
 * Keeps away all others who move or read old turns, until the store is closed.
 *
 * @throws `archive-busy`
 */
export async function holdArchive(store: Pick<ArchiveStore, 'begin'>): Promise<void> {
  if (await store.begin()) return
  const message = 'Somebody else archives, erases a customer, or rebuilds a read model. Wait for that to end.'
  throw new TurnstileError('archive-busy', message)
}

/** In all partitions, whichever are archived: actors are told things by others. */
async function findUnsettled(
  reaches: Reach[],
  settledBefore: string,
  { store, isDryRun }: ArchiveOptions,
): Promise<Set<string>> {
  const unsettled = new Set<string>()
  // `positionBefore` leaves an hour before its time, and another one is to be after this one.
  const end = new Date(Date.parse(settledBefore) + 2 * marginMs).toISOString()
  for (const { partition, published, settled } of reaches) {
    const upTo = await positionBefore(store, partition, published, end)
    const stretch = { partition, after: settled, upTo, settled }
    for await (const page of findLost(store, reaches.length, stretch)) {
      for (const address of page.unsettled) unsettled.add(keyOf(address))
      if (!isDryRun) await store.noteSettled(partition, page.settled)
    }
  }
  return unsettled
}

type Bounds = { settledBefore: string; unsettled: Set<string> }

async function archivePartition(
  { partition, upTo }: Reach,
  files: ArchiveFile[],
  { settledBefore, unsettled }: Bounds,
  options: ArchiveOptions,
  tally: Tally,
): Promise<void> {
  const { store, actors, folder, isDryRun, onProgress } = options
  const lyingIn = (place: string) => files.filter((file) => file.folder === place)
  if (!isDryRun) {
    await clearFolder(folder, partition, lyingIn(folder))
    for (const file of files.filter(({ isDropped }) => !isDropped)) {
      await writeManifest(file.folder, partition, lyingIn(file.folder))
      await drop(file, options)
    }
  }
  const before = new Date(options.beforeMs).toISOString()
  const now = new Date(options.nowMs).toISOString()
  let turns = 0
  for await (const portion of oldTurns(store, actors, { partition, upTo, before, now, unsettled }, turnsAFile, tally)) {
    turns += portion.length
    if (!isDryRun) {
      const contents = { partition, number: files.length + 1, turns: portion.sort(compareTurns), settledBefore }
      const file = await writeArchiveFile(folder, contents)
      crashPoint('archive-written')
      await store.record(file)
      crashPoint('archive-recorded')
      files.push(file)
      await writeManifest(folder, partition, lyingIn(folder))
      await drop(file, options)
    }
    onProgress(partition, turns)
  }
}

/** Rests as long as it works: the disk and the processors are for those who book. */
async function drop(file: ArchiveFile, { archive, store }: ArchiveOptions): Promise<void> {
  const fault = await archive.faultOf(file)
  if (fault !== undefined) {
    const advice = 'Its turns stay where they are. Bring it back from a copy, if some of them are gone already.'
    throw new TurnstileError('archive-unreadable', `The archive file ${fault}. ${advice}`)
  }
  let step: TurnRecord[] = []
  const remove = async (): Promise<void> => {
    const beganMs = performance.now()
    await store.mark(file.partition, marksOf(step, file))
    await store.remove(
      file.partition,
      step.map(({ position }) => position),
    )
    crashPoint('archive-step')
    step = []
    await sleep(performance.now() - beganMs)
  }
  for await (const turns of archive.turns(file)) {
    step.push(...turns)
    if (step.length >= turnsAStep) await remove()
  }
  if (step.length > 0) await remove()
  await store.noteDropped(file)
}

function marksOf(turns: TurnRecord[], { settledBefore: before }: ArchiveFile): Omit<ArchiveMark, 'partition'>[] {
  const marks = new Map<string, Omit<ArchiveMark, 'partition'>>()
  for (const { kind, actorId: id, version } of turns) marks.set(keyOf({ kind, id }), { kind, id, version, before })
  return [...marks.values()]
}

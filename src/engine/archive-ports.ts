import type { Address, TurnRecord } from './ports.ts'

/** A part of an archive file that can be read by itself: some actors' turns, and where they are in the file. */
export type ArchiveBlock = { offset: number; bytes: number; firstActor: string; lastActor: string }

/** Turns of one partition that have left the journal, or are about to: actor by actor, each in the order of its versions. */
export type ArchiveFile = {
  partition: number
  name: string
  /** Where the archive lay when it was written. */
  folder: string
  turns: number
  firstActor: string
  lastActor: string
  /** The greatest position among its turns. */
  lastPosition: number
  sha256: string
  blocks: ArchiveBlock[]
  /** What was sent to its actors by turns from before had all been taken. RFC 3339 in UTC. */
  settledBefore: string
  /** Whether none of its turns is in the journal any more. */
  isDropped: boolean
}

/** Of whom turns are archived. */
export type ArchiveMark = Address & {
  partition: number
  /** So many, its first ones. */
  version: number
  /** What was sent to it by turns from before had all been taken. RFC 3339 in UTC. */
  before: string
}

/** The files of the archive, wherever they lie. */
export interface Archive {
  /** What is wrong with the file, if anything is. */
  faultOf(file: ArchiveFile): Promise<string | undefined>
  /** Its turns, page by page; of one actor, or of all. Rejects with `archive-unreadable`. */
  turns(file: ArchiveFile, of?: Address): AsyncIterable<TurnRecord[]>
}

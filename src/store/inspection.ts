import type { ArchiveFile, ArchiveMark } from '../engine/archive-ports.ts'
import type { Address, PartitionRow, Pause, StoredActor, TurnRecord } from '../engine/ports.ts'
import type { ReadRow, RowKey } from '../engine/read-model-ports.ts'
import type { AuditHead, AuditRow } from './audit-chain.ts'
import type { LetterStatus } from './dead-letter-records.ts'

/**
 * Reads the record for people and for checks, a page at a time, without getting into anybody's way. Rejects with
 * `database-unavailable`.
 */
export interface Inspection {
  /**
   * Where the journal of every partition stands, all at one moment. A commit moves several at once and the journal only
   * grows, so the turns up to here are a state that the whole system was in.
   */
  heads(): Promise<{ id: number; head: number }[]>
  /** What is paused. */
  pauses(): Promise<StandingPause[]>
  /** The rows of the audit log after this one, in the order of the chain; at most `limit`. */
  auditAfter(seq: number, limit: number): Promise<AuditRow[]>
  /** Where the audit log ends, as is noted beside it. */
  auditHead(): Promise<AuditHead>
  /**
   * Everything that `look` sees of the partition is as it is at one moment.
   *
   * @param readModels those whose rows it wants to see: meanwhile no rebuild takes the place of one
   */
  view<T>(partition: number, look: (view: PartitionView) => Promise<T>, readModels?: string[]): Promise<T>
  close(): Promise<void>
}

/** One moment of one partition. What is looked up by address or id may be in any partition. */
export interface PartitionView {
  row: PartitionRow
  /** The moment, by the store's clock, since 1970. */
  nowMs: number
  /** The turns of all actors, or of one: actor by actor, each in the order of its versions. Page by page. */
  turns(of?: Address): AsyncIterable<TurnRecord[]>
  /** Where in the journal the turns of these messages are, as far as there are any. */
  findTurns(keys: MessageKey[]): Promise<FoundTurn[]>
  turn(partition: number, position: number): Promise<TurnRecord | undefined>
  load(addresses: (Address & { partition: number })[]): Promise<StoredActor[]>
  /** The dead letters that bear one of these message ids. */
  letters(messageIds: string[]): Promise<FoundLetter[]>
  /** A message that its actor has taken more than once. */
  repeated(): Promise<MessageKey | undefined>
  /** An actor with a state and without a turn, of whom nothing is archived. */
  stray(): Promise<Address | undefined>
  /** How many alarms are set, and the one that goes off first. */
  alarms(): Promise<{ armed: number; first?: Address & { at: string } }>
  /** The files of the archive that have this partition's turns, in the order in which they were written. */
  archiveFiles(): Promise<ArchiveFile[]>
  /** Those of the actors of whom turns are archived. */
  archiveMarks(addresses: (Address & { partition: number })[]): Promise<ArchiveMark[]>
  /** How far each read model has come in this partition; one that has not begun is missing. */
  readModels(): Promise<{ name: string; position: number }[]>
  /** The rows that exist among these. */
  rows(readModel: string, keys: RowKey[]): Promise<ReadRow[]>
  /** How many rows of the read model lie in this partition. */
  countRows(readModel: string): Promise<number>
}

/** A pause, and for how long it has stood. */
export type StandingPause = Pause & { who: string; reason: string; ms: number }

export type MessageKey = Address & { partition: number; messageId: string }

export type FoundTurn = MessageKey & { position: number }

export type FoundLetter = {
  messageId: string
  kind: string
  actorId: string
  type: string
  status: LetterStatus
  payload: Uint8Array
  /** When it was sent back last, RFC 3339 in UTC. */
  requeuedAt?: string
}

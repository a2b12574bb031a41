import type { Address, Store } from './ports.ts'

/**
 * Where somebody can have taken a message: an actor, or a service by the dead letter of an effect. And when the turn that sent
 * it was accepted, RFC 3339 in UTC: of an actor whose old turns are archived, that tells whether it is among those.
 */
export type TakerKey = Address & { partition: number; messageId: string; sentAt: string }

/** Whoever took it: its turn, or a person who is to decide about it or has decided against it. */
export type Taker = Omit<TakerKey, 'sentAt'> & { by: 'turn' | 'open letter' | 'discarded letter' }

/** How far a partition is. */
export type Standing = {
  partition: number
  /** Up to here all that the turns have sent and called for is known to have been taken, for good. */
  settled: number
  /** The turns up to here have been told to the broker. */
  published: number
}

/** A redrive that is due, because the broker has lost what it stored. */
export type RedriveOrder = {
  partition: number
  settled: number
  /** How far it is. Nothing when it has not begun. */
  position: number | null
  /** The position of the last turn that may have been told to what was lost. */
  upTo: number
  /** RFC 3339 in UTC: public events from then on are lost too. Nothing when none is. */
  eventsSince: string | null
  /** Which of the partition's redrives it is. */
  round: number
}

/** What a redrive needs of the record. Rejects like the store. */
export interface RedriveStore {
  readJournal: Store['readJournal']
  /** Those of the messages that have a taker, each with it. */
  findTakers(keys: TakerKey[]): Promise<Taker[]>
  /** Of every partition. */
  standings(): Promise<Standing[]>
  noteSettled(partition: number, settled: number): Promise<void>
  /**
   * What is due in these partitions. A few seconds after it was ordered: by then most of what seems lost has been told by
   * those who were about to.
   */
  orders(partitions: number[]): Promise<RedriveOrder[]>
  /** Notes how far it is; at `upTo` it is over. Nothing when the partition has been ordered to be redriven anew. */
  noteRedriven(order: RedriveOrder & { position: number }): Promise<void>
}

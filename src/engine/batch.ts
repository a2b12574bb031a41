import type { Tagged } from '../actor/actor.ts'
import { type CachedActor, keyOf } from './cache.ts'
import type { Fault } from './parse.ts'
import type { OwnedPartition } from './partition.ts'
import type { Address, Commit, DeadLetter, Delivery, DueAlarm, Meta, Pause, StoredActor, TurnRecord } from './ports.ts'
import type { Span } from './trace-ports.ts'

/** As it came out of a mailbox, or as it would have. */
export type Message = Omit<Delivery, 'sequence'>

/** Turns that were decided together and are committed together. */
export type Batch = {
  deliveries: Delivery[]
  alarms: DueAlarm[]
  /** The partitions that it moves on, and where each stood before. */
  partitions: Map<OwnedPartition, { head: number; cursor: number }>
  turns: TurnRecord[]
  /** By `messageKeyOf`, those of the turns' messages. */
  messageKeys: string[]
  /** The spans of those turns that are followed. */
  spans: Map<TurnRecord, Span<TurnRecord>>
  deadLetters: DeadLetter[]
  /** Messages to paused actors: kept as dead letters are, but nothing is wrong with them. */
  setAside: { letter: DeadLetter; pause: Pause }[]
  /** Every actor it relies on, pinned in the cache until the batch is through. */
  actors: Map<string, CachedActor>
  /** Those of them that took a turn or had their alarm changed, and how each was before. */
  changed: Map<CachedActor, { version: number; isArmed: boolean }>
  /** Messages that have had their turn before. */
  repeats: Message[]
}

export const emptyBatch = (deliveries: Delivery[], alarms: DueAlarm[]): Batch => ({
  deliveries,
  alarms,
  partitions: new Map(),
  turns: [],
  messageKeys: [],
  spans: new Map(),
  deadLetters: [],
  setAside: [],
  actors: new Map(),
  changed: new Map(),
  repeats: [],
})

/** What the store is asked to write for this batch. */
export function toCommit(batch: Batch): Commit {
  const armed = new Map<OwnedPartition, number>()
  const states: StoredActor[] = []
  const disarmed: Commit['disarmed'] = []
  for (const [{ kind, id, partition, version, state, wake }, before] of batch.changed) {
    const stored: StoredActor = { kind, id, partition: partition.id, version, state }
    if (wake) stored.wake = wake
    if (version > before.version) states.push(stored)
    else disarmed.push(stored)
    const newlyArmed = Number(wake !== undefined) - Number(before.isArmed)
    if (newlyArmed !== 0) armed.set(partition, (armed.get(partition) ?? 0) + newlyArmed)
  }
  const partitions = [...batch.partitions].map(([partition, { head, cursor: from }]) => {
    const { id, epoch, cursor, published } = partition
    const turns = partition.head - head
    return { id, epoch, head, turns, from, cursor, published, armed: armed.get(partition) ?? 0 }
  })
  const deadLetters = [...batch.deadLetters, ...batch.setAside.map(({ letter }) => letter)]
  const pauses = [...new Map(batch.setAside.map(({ pause }) => [`${pause.target} ${pause.name}`, pause])).values()]
  return { partitions, turns: batch.turns, states, deadLetters, pauses, disarmed }
}

/** The deliveries go back in front of their mailboxes, in their order; those of a mailbox that is gone, to where they came from. */
export function putBack(batches: Batch[]): void {
  const redo = new Map<OwnedPartition, Delivery[]>()
  for (const { deliveries, partitions } of batches) {
    const byId = new Map([...partitions.keys()].map((partition) => [partition.id, partition]))
    for (const delivery of deliveries) {
      const partition = byId.get(delivery.partition)
      if (partition)
        redo
          .set(partition, redo.get(partition) ?? [])
          .get(partition)
          ?.push(delivery)
    }
  }
  for (const [partition, deliveries] of redo) {
    if (partition.isClosed) {
      for (const delivery of deliveries) delivery.giveBack?.()
      continue
    }
    // A commit that could not even be sent fails before those under way, so what failed first is not always the first.
    partition.redo = [...deliveries, ...partition.redo].sort((a, b) => a.sequence - b.sequence)
  }
}

export function enlist(batch: Batch, partition: OwnedPartition): void {
  const { head, cursor } = partition
  if (!batch.partitions.has(partition)) batch.partitions.set(partition, { head, cursor })
}

export function noteChange({ changed }: Batch, actor: CachedActor): void {
  const { version, wake } = actor
  if (!changed.has(actor)) changed.set(actor, { version, isArmed: wake !== undefined })
}

/** Without a turn: an alarm that cannot be dealt with must not go off for ever. */
export function disarm(batch: Batch, actor: CachedActor): void {
  enlist(batch, actor.partition)
  noteChange(batch, actor)
  actor.wake = undefined
}

export function deadLetterOf(delivery: Message, { code, cause, stack }: Fault): DeadLetter {
  const { partition, to, type, messageId, payload, command, headers, meta, at } = delivery
  return {
    partition,
    kind: to.kind,
    actorId: to.id,
    type,
    messageId,
    code,
    cause,
    ...(stack !== undefined && { stack }),
    payload: command ? encode(command) : payload,
    headers,
    meta,
    at: new Date(at).toISOString(),
  }
}

export function faultOf(error: unknown): Fault {
  if (!(error instanceof Error)) return { code: 'turn-threw', cause: String(error) }
  return { code: 'turn-threw', cause: error.message, ...(error.stack !== undefined && { stack: error.stack }) }
}

/** Of a message that is not encoded. */
export const noPayload = new Uint8Array()

export function encode({ type: _, ...fields }: Tagged): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(fields))
}

/** As the turn of a message is journaled, and hands it on: what follows from it is below the turn, if that is followed. */
export function metaOfTurn(meta: Meta, span: Span<TurnRecord> | undefined): Meta {
  if (!span) return meta
  const { traceparent: parent } = meta
  const { traceparent } = span
  return parent === undefined ? { ...meta, traceparent } : { ...meta, traceparent, parent }
}

/** What a message hands on to everything that follows from it. Who asked is answered once, so an answer ends that. */
export function metaOfConsequence(meta: Meta, causationId: string, isAnswered: boolean): Meta {
  const { correlationId, traceparent, askedBy, replyTo, requestId, fingerprint } = meta
  const story: Meta = { correlationId, causationId }
  if (traceparent !== undefined) story.traceparent = traceparent
  if (askedBy !== undefined) story.askedBy = askedBy
  if (isAnswered) return story
  if (replyTo !== undefined) story.replyTo = replyTo
  if (requestId !== undefined) story.requestId = requestId
  if (fingerprint !== undefined) story.fingerprint = fingerprint
  return story
}

/** Names a message at its actor: a message id is answered once for each actor that it is sent to. */
export const messageKeyOf = ({ to, messageId }: { to: Address; messageId: string }): string =>
  `${keyOf(to)}/${messageId}`

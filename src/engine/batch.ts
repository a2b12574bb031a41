import type { Send } from '../../schemas/index.ts'
import type { AnyActor, Deadlines, Tagged } from '../actor/actor.ts'
import { partitionOf } from '../actor/ids.ts'
import { type Identified, restore, type Turn, takeTurn } from '../actor/turn.ts'
import { type ActorCache, type CachedActor, keyOf } from './cache.ts'
import { type Actors, type Fault, parseDelivery } from './parse.ts'
import type { OwnedPartition } from './partition.ts'
import type {
  Address,
  Commit,
  DeadLetter,
  Delivery,
  Meta,
  RecordedDecision,
  RecordedSend,
  Store,
  TurnRecord,
} from './ports.ts'

/** As it came out of a mailbox, or as it would have. */
type Message = Omit<Delivery, 'sequence'>

/** One message to decide: out of a mailbox, or sent by a turn of this very batch. */
type Work = {
  partition: OwnedPartition
  actor: AnyActor
  message: Tagged
  delivery: Message
  /** How many sends lie between it and a mailbox. */
  depth: number
}

/** Turns that were decided together and are committed together. */
export type Batch = {
  deliveries: Delivery[]
  /** The partitions that it moves on, and where each stood before. */
  partitions: Map<OwnedPartition, { head: number; cursor: number }>
  turns: TurnRecord[]
  deadLetters: DeadLetter[]
  /** Every actor it relies on, pinned in the cache until the batch is through. */
  actors: Map<string, CachedActor>
  /** Those of them that took a turn. */
  touched: Set<CachedActor>
  /** Messages that have had their turn before. */
  repeats: Message[]
}

export const emptyBatch = (deliveries: Delivery[]): Batch => ({
  deliveries,
  partitions: new Map(),
  turns: [],
  deadLetters: [],
  actors: new Map(),
  touched: new Set(),
  repeats: [],
})

/** What deciding a batch needs to know of its surroundings. */
export type Surroundings = {
  actors: Actors
  cache: ActorCache
  load: Store['load']
  partitionCount: number
  deadlines: Deadlines
  /** The partition if this worker can commit to it. */
  owned(partition: number): OwnedPartition | undefined
  /** Whether this message has had its turn, as far as is known: it was looked up, or its commit is under way. */
  isRepeat(key: string): boolean
  noteTurn(key: string): void
  /** A delivery whose commit Postgres refuses on its own. */
  faultOf(delivery: Delivery): Fault | undefined
}

/** A chain of sends that goes on for longer than this is a loop: it continues through the broker, in later batches. */
const maxDepth = 16
/** The sends of a batch that join it are bounded too, so that a commit stays short. */
const maxTurnsPerDelivery = 8

/**
 * Decides everything the deliveries ask for, on top of what is decided already. Sends to partitions that this worker
 * owns join the end of the batch, so a booking that takes three turns takes one commit.
 */
export async function decideBatch(around: Surroundings, batch: Batch): Promise<void> {
  const maxTurns = batch.deliveries.length * maxTurnsPerDelivery
  let work = batch.deliveries.flatMap((delivery) => admit(around, batch, delivery))
  while (work.length > 0) {
    await loadActors(around, batch, work)
    const joined: Work[] = []
    for (const item of work) {
      const canJoin = item.depth < maxDepth && batch.turns.length + work.length + joined.length < maxTurns
      joined.push(...takeOneTurn(around, batch, item, canJoin))
    }
    work = joined
  }
}

/** What the store is asked to write for this batch. */
export function toCommit(batch: Batch): Commit {
  return {
    partitions: [...batch.partitions].map(([{ id, epoch, head, cursor, published }, before]) => {
      return { id, epoch, head: before.head, turns: head - before.head, from: before.cursor, cursor, published }
    }),
    turns: batch.turns,
    states: [...batch.touched].map(({ pins: _, partition, ...actor }) => ({ ...actor, partition: partition.id })),
    deadLetters: batch.deadLetters,
  }
}

/** Lets a delivery in: parsed, as work; faulty, as a dead letter. Either way its partition moves on. */
function admit(around: Surroundings, batch: Batch, delivery: Delivery): Work[] {
  const partition = around.owned(delivery.partition)
  if (!partition) throw new Error(`partition ${delivery.partition} is decided upon without being owned`)
  enlist(batch, partition)
  partition.cursor = delivery.sequence
  const parsed = parseDelivery(around.actors, delivery)
  const fault = around.faultOf(delivery) ?? ('fault' in parsed ? parsed.fault : misrouting(around, delivery))
  if (fault) batch.deadLetters.push(deadLetterOf(delivery, fault))
  return fault || 'fault' in parsed ? [] : [{ partition, ...parsed, delivery, depth: 0 }]
}

/** Whoever publishes below `mbx`, or maps by another number of partitions, must not make a second copy of an actor. */
function misrouting({ partitionCount }: Surroundings, { to, partition }: Delivery): Fault | undefined {
  const right = partitionOf(to.id, partitionCount)
  if (right === partition) return undefined
  const cause = `${keyOf(to)} lives in partition ${right} of ${partitionCount}; the message came in partition ${partition}`
  return { code: 'misrouted', cause }
}

function takeOneTurn(around: Surroundings, batch: Batch, work: Work, canJoin: boolean): Work[] {
  const { partition, message, delivery } = work
  const { to, messageId, meta } = delivery
  if (around.isRepeat(messageKeyOf(delivery))) {
    batch.repeats.push(delivery)
    return []
  }
  const actor = batch.actors.get(keyOf(to)) as CachedActor
  const at = new Date(delivery.at).toISOString()
  let turn: Turn
  try {
    const context = { id: to.id, messageId, at, deadlines: around.deadlines }
    turn = takeTurn(work.actor, actor.state, message, context, meta.requestId === messageId)
  } catch (error) {
    batch.deadLetters.push(deadLetterOf({ ...delivery, payload: payloadOf(work) }, faultOf(error)))
    return []
  }

  const joined: Work[] = []
  const sends = turn.sends.map((send): RecordedSend => {
    const next = canJoin ? join(around, work, send, turn.reply !== undefined) : undefined
    if (!next) return { messageId: send.messageId, send: send.send, id: send.id, command: send.command }
    joined.push(next)
    return { joined: send.messageId }
  })
  enlist(batch, partition)
  actor.state = turn.state
  actor.version += 1
  partition.head += 1
  const position = partition.head
  const { kind, id: actorId } = to
  const { version } = actor
  const decision = recordOf(turn, sends)
  const record = { partition: partition.id, position, kind, actorId, version, messageId, at, message, meta, decision }
  batch.touched.add(actor)
  batch.turns.push(record)
  around.noteTurn(messageKeyOf(delivery))
  return joined
}

/** A send becomes a turn of the same batch when this worker can commit to its target. */
function join(around: Surroundings, sender: Work, send: Identified<Send>, isAnswered: boolean): Work | undefined {
  const partition = around.owned(partitionOf(send.id, around.partitionCount))
  const actor = around.actors[send.send]
  if (!partition || partition.isLeaving || !actor) return undefined
  const delivery = {
    partition: partition.id,
    to: { kind: send.send, id: send.id },
    type: send.command.type,
    messageId: send.messageId,
    meta: metaOfConsequence(sender.delivery.meta, sender.delivery.messageId, isAnswered),
    headers: {},
    payload: new Uint8Array(),
    at: sender.delivery.at,
  }
  return { partition, actor, message: send.command, delivery, depth: sender.depth + 1 }
}

/** What a message hands on to everything that follows from it. Who asked is answered once, so an answer ends that. */
export function metaOfConsequence(meta: Meta, causationId: string, isAnswered: boolean): Meta {
  if (!isAnswered) return { ...meta, causationId }
  const { replyTo: _, requestId: __, fingerprint: ___, ...story } = meta
  return { ...story, causationId }
}

/** Names a message at its actor: a message id is answered once for each actor that it is sent to. */
export const messageKeyOf = ({ to, messageId }: { to: Address; messageId: string }): string =>
  `${keyOf(to)}/${messageId}`

function enlist(batch: Batch, partition: OwnedPartition): void {
  const { head, cursor } = partition
  if (!batch.partitions.has(partition)) batch.partitions.set(partition, { head, cursor })
}

/** Pins the actors of the work; those that are not in memory come with one read for all. */
async function loadActors(around: Surroundings, batch: Batch, work: Work[]): Promise<void> {
  const missing = new Map<string, CachedActor>()
  for (const { delivery, partition, actor } of work) {
    const key = keyOf(delivery.to)
    if (batch.actors.has(key) || missing.has(key)) continue
    const cached = around.cache.get(key)
    if (cached) pin(batch, key, cached)
    else missing.set(key, { ...delivery.to, partition, version: 0, state: actor.initial, pins: 0 })
  }
  if (missing.size === 0) return
  const addresses = [...missing.values()].map(({ kind, id, partition }) => ({ kind, id, partition: partition.id }))
  for (const { version, state, ...address } of await around.load(addresses)) {
    const actor = around.actors[address.kind]
    Object.assign(missing.get(keyOf(address)) ?? {}, { version, state: actor ? restore(actor, state) : state })
  }
  for (const [key, actor] of missing) {
    pin(batch, key, actor)
    around.cache.add(actor)
  }
}

function pin(batch: Batch, key: string, actor: CachedActor): void {
  actor.pins += 1
  batch.actors.set(key, actor)
}

function recordOf(turn: Turn, sends: RecordedSend[]): RecordedDecision {
  const { outcome, because, events, calls, publishes, reply } = turn
  return {
    outcome,
    ...(because !== undefined && { because }),
    ...(events.length > 0 && { events }),
    ...(sends.length > 0 && { sends }),
    ...(calls.length > 0 && { calls: calls.map(({ messageId, call, request }) => ({ messageId, call, request })) }),
    ...(publishes.length > 0 && {
      publishes: publishes.map(({ messageId, event }) => ({ messageId, index: events.indexOf(event) })),
    }),
    ...(reply && { reply }),
  }
}

function faultOf(error: unknown): Fault {
  if (!(error instanceof Error)) return { code: 'turn-threw', cause: String(error) }
  return { code: 'turn-threw', cause: error.message, ...(error.stack !== undefined && { stack: error.stack }) }
}

/** A send that joined the batch was never encoded. */
function payloadOf({ message, delivery, depth }: Work): Uint8Array {
  if (depth === 0) return delivery.payload
  const { type: _, ...fields } = message
  return new TextEncoder().encode(JSON.stringify(fields))
}

function deadLetterOf(delivery: Message, { code, cause, stack }: Fault): DeadLetter {
  const { partition, to, type, messageId, payload, headers, meta, at } = delivery
  return {
    partition,
    kind: to.kind,
    actorId: to.id,
    type,
    messageId,
    code,
    cause,
    ...(stack !== undefined && { stack }),
    payload,
    headers,
    meta,
    at: new Date(at).toISOString(),
  }
}

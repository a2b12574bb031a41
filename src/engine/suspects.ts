import { type Batch, messageKeyOf } from './batch.ts'
import { keyOf } from './cache.ts'
import type { Fault } from './parse.ts'
import type { Clock, Delivery, DueAlarm, Log, Store } from './ports.ts'

/** Repeats that are remembered as such; one that drops out is looked up again if need be. */
const maxRepeats = 10_000
const retryMs = 250

type Ports = { store: Pick<Store, 'findTurns'>; clock: Clock; log: Log }

/** What failed commits have taught about messages: these have had their turn, and those Postgres will not have. */
export class Suspects {
  readonly #ports: Ports
  readonly #repeats = new Set<string>()
  readonly #condemned = new Map<string, Fault>()
  /** So many of the next deliveries and alarms are decided one by one, to find the one that Postgres refuses. */
  #toIsolate = 0
  /** A batch that came to an unknown end may have been too much for its deadline: halved each time, until one goes in. */
  #maxItems = Number.POSITIVE_INFINITY

  constructor(ports: Ports) {
    this.#ports = ports
  }

  isRepeat(messageKey: string): boolean {
    return this.#repeats.has(messageKey)
  }

  /** Why this becomes a dead letter without being decided, if it does. */
  faultOf(item: Item): Fault | undefined {
    return this.#condemned.get(placeOf(item))
  }

  /** How many deliveries and alarms the next batch may have. */
  limit(max: number): number {
    return this.#toIsolate > 0 ? 1 : Math.min(max, this.#maxItems)
  }

  noteTaken(items: number): void {
    this.#toIsolate = Math.max(0, this.#toIsolate - items)
  }

  noteCommitted({ deliveries, alarms }: Batch): void {
    this.#maxItems *= 2
    if (this.#condemned.size === 0) return
    for (const item of [...deliveries, ...alarms]) this.#condemned.delete(placeOf(item))
  }

  /** A duplicate was reported: finds out which messages of the batch have had their turn. */
  async learnRepeats(batch: Batch): Promise<void> {
    const keys = batch.turns.map(({ kind, actorId: id, partition, messageId }) => ({ kind, id, partition, messageId }))
    const turns = await this.#ports.store.findTurns(keys)
    for (const { kind, actorId: id, messageId } of turns)
      this.#repeats.add(messageKeyOf({ to: { kind, id }, messageId }))
    for (const key of this.#repeats) {
      if (this.#repeats.size <= maxRepeats) break
      this.#repeats.delete(key)
    }
    if (turns.length === 0)
      await this.narrowDown(batch, new Error('a duplicate was reported, but none is in the journal'))
  }

  /** Postgres, or the way there, is in trouble: ask for less, and not at once. */
  async slowDown({ deliveries, alarms }: Batch, error: Error): Promise<void> {
    const items = deliveries.length + alarms.length
    this.#maxItems = Math.max(1, Math.floor(items / 2))
    this.#ports.log.warn({ err: error, items }, 'a commit came to an unknown end; took its partitions up again')
    await this.#ports.clock.sleep(retryMs)
  }

  /** Postgres refuses something in this batch: decide one by one, until that is found which it refuses alone. */
  async narrowDown({ deliveries, alarms }: Batch, error: Error): Promise<void> {
    const items = [...deliveries, ...alarms]
    const [item] = items
    if (!item) return
    if (items.length > 1) {
      this.#toIsolate = items.length
      return
    }
    const place = placeOf(item)
    this.#ports.log.error({ err: error, ...namesOf(item) }, 'Postgres refuses this turn')
    // It refuses the dead letter too: nothing helps but somebody who reads the log.
    if (this.#condemned.has(place)) await this.#ports.clock.sleep(retryMs)
    this.#condemned.set(place, { code: 'commit-rejected', cause: error.message })
  }
}

type Item = Delivery | DueAlarm

/** With the message's id: in another life of the stream another message has the same sequence. */
const placeOf = (item: Item): string =>
  'sequence' in item ? `${item.partition}/${item.sequence}/${item.messageId}` : `${keyOf(item)}/${item.at}`

function namesOf(item: Item): object {
  if (!('sequence' in item)) return { correlationId: item.correlationId, actor: keyOf(item), alarm: item.at }
  const { meta, to, messageId } = item
  return { correlationId: meta.correlationId, actor: keyOf(to), messageId }
}

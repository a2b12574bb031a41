import { type Batch, messageKeyOf } from './batch.ts'
import type { Fault } from './parse.ts'
import type { Clock, Delivery, Log, Store } from './ports.ts'

/** Repeats that are remembered as such; one that drops out is looked up again if need be. */
const maxRepeats = 10_000
const retryMs = 250

type Ports = { store: Pick<Store, 'findTurns'>; clock: Clock; log: Log }

/** What failed commits have taught about messages: these have had their turn, and those Postgres will not have. */
export class Suspects {
  readonly #ports: Ports
  readonly #repeats = new Set<string>()
  readonly #condemned = new Map<string, Fault>()
  /** So many of the next deliveries are decided one by one, to find the one that Postgres refuses. */
  #toIsolate = 0
  /** A batch that came to an unknown end may have been too much for its deadline: halved each time, until one goes in. */
  #maxDeliveries = Number.POSITIVE_INFINITY

  constructor(ports: Ports) {
    this.#ports = ports
  }

  isRepeat(messageKey: string): boolean {
    return this.#repeats.has(messageKey)
  }

  /** Why this delivery becomes a dead letter without being decided, if it does. */
  faultOf(delivery: Delivery): Fault | undefined {
    return this.#condemned.get(placeOf(delivery))
  }

  /** How many deliveries the next batch may have. */
  limit(max: number): number {
    return this.#toIsolate > 0 ? 1 : Math.min(max, this.#maxDeliveries)
  }

  noteTaken(deliveries: Delivery[]): void {
    this.#toIsolate = Math.max(0, this.#toIsolate - deliveries.length)
  }

  noteCommitted(deliveries: Delivery[]): void {
    this.#maxDeliveries *= 2
    if (this.#condemned.size > 0) for (const delivery of deliveries) this.#condemned.delete(placeOf(delivery))
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
  async slowDown({ deliveries }: Batch, error: Error): Promise<void> {
    this.#maxDeliveries = Math.max(1, Math.floor(deliveries.length / 2))
    const fields = { err: error, deliveries: deliveries.length }
    this.#ports.log.warn(fields, 'a commit came to an unknown end; took its partitions up again')
    await this.#ports.clock.sleep(retryMs)
  }

  /** Postgres refuses something in this batch: decide one by one, until the delivery is found that it refuses alone. */
  async narrowDown({ deliveries }: Batch, error: Error): Promise<void> {
    const [delivery, ...others] = deliveries
    if (!delivery) return
    if (others.length > 0) {
      this.#toIsolate = deliveries.length
      return
    }
    const { messageId, to: actor, meta } = delivery
    this.#ports.log.error(
      { err: error, correlationId: meta.correlationId, actor, messageId },
      'Postgres refuses this turn',
    )
    // It refuses the dead letter too: nothing helps but somebody who reads the log.
    if (this.#condemned.has(placeOf(delivery))) await this.#ports.clock.sleep(retryMs)
    this.#condemned.set(placeOf(delivery), { code: 'commit-rejected', cause: error.message })
  }
}

const placeOf = ({ partition, sequence }: Delivery): string => `${partition}/${sequence}`

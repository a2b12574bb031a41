import type { OwnedPartition } from './partition.ts'
import type { Address, Wake } from './ports.ts'

/** An actor in memory, as the last decided turn left it: ahead of the store by the commits that are under way. */
export type CachedActor = Address & {
  /** `keyOf` it. */
  key: string
  /** When this is closed, what is here of the actor is worth nothing: others may have changed it since. */
  partition: OwnedPartition
  version: number
  state: unknown
  wake?: Wake | undefined
  /** How many undecided or uncommitted batches rely on it; only an actor without any can be forgotten. */
  pins: number
}

export const keyOf = (address: Address): string => `${address.kind}.${address.id}`

/** The actors that were used last, at most `capacity` of them plus those that are pinned. */
export class ActorCache {
  readonly #actors = new Map<string, CachedActor>()
  readonly #capacity: number
  /**
   * Walks through the actors from the oldest on, and never back. A walk that began anew each time would pass the places of
   * all that were forgotten lately: 50 µs with 50,000 actors.
   */
  #oldest = this.#actors.values()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#actors.size
  }

  get(key: string): CachedActor | undefined {
    const actor = this.#actors.get(key)
    if (!actor) return undefined
    this.#actors.delete(key)
    if (actor.partition.isClosed) return undefined
    // A Map keeps the order of insertion: to insert again is to be the youngest.
    this.#actors.set(key, actor)
    return actor
  }

  add(actor: CachedActor): void {
    this.#actors.set(actor.key, actor)
    while (this.#actors.size > this.#capacity && this.#forgetOldest()) {}
  }

  /** What a failed commit leaves behind must be read again. */
  drop(actors: Iterable<CachedActor>): void {
    for (const actor of actors) this.#actors.delete(actor.key)
  }

  #forgetOldest(): boolean {
    for (let left = this.#actors.size; left > 0; left--) {
      const actor = this.#nextOldest()
      this.#actors.delete(actor.key)
      if (actor.pins === 0) return true
      this.#actors.set(actor.key, actor)
    }
    return false
  }

  #nextOldest(): CachedActor {
    const { value } = this.#oldest.next()
    if (value) return value
    this.#oldest = this.#actors.values()
    return this.#oldest.next().value as CachedActor
  }
}

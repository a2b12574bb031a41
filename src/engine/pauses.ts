import { keyOf } from './cache.ts'
import type { Address, Log, Observer, Pause } from './ports.ts'

type Ports = { log: Log; observer: Pick<Observer, 'paused'> }

/**
 * The actors and kinds that are paused, as far as this worker has heard. It may be behind: one that was paused a moment ago
 * still takes turns, and a message set aside by a pause that has ended is refused by the store, which says so.
 */
export class Pauses {
  readonly #ports: Ports
  readonly #actors = new Set<string>()
  readonly #kinds = new Set<string>()

  constructor(ports: Ports) {
    this.#ports = ports
  }

  /** The pause that this actor is under, if it is. */
  of(address: Address): Pause | undefined {
    if (this.#kinds.has(address.kind)) return { target: 'kind', name: address.kind }
    // Almost always nothing is paused, and then no name is put together.
    if (this.#actors.size > 0 && this.#actors.has(keyOf(address))) return { target: 'actor', name: keyOf(address) }
    return undefined
  }

  /** What a heartbeat has brought. */
  heed(pauses: Pause[]): void {
    const before = this.#names()
    this.#actors.clear()
    this.#kinds.clear()
    for (const { target, name } of pauses) this.#setOf(target)?.add(name)
    this.#report(before)
  }

  /** These have ended. */
  lift(pauses: Pause[]): void {
    const before = this.#names()
    for (const { target, name } of pauses) this.#setOf(target)?.delete(name)
    this.#report(before)
  }

  #setOf(target: Pause['target']): Set<string> | undefined {
    return { actor: this.#actors, kind: this.#kinds, service: undefined }[target]
  }

  #names(): string {
    return [...this.#kinds, ...this.#actors].sort().join(' ')
  }

  #report(before: string): void {
    const { log, observer } = this.#ports
    if (this.#names() !== before)
      log.info({ kinds: [...this.#kinds], actors: [...this.#actors] }, 'heard what is paused from now on')
    observer.paused('actor', this.#actors.size)
    observer.paused('kind', this.#kinds.size)
  }
}

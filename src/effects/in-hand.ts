import type { Clock, EffectDelivery } from '../engine/ports.ts'

/** A third of the time after which the queue gives an effect to another process. */
const everyMs = 10_000

/**
 * The effects that are being carried out. Now and then the queue is told so of all of them: a clock for each would cost more
 * than most calls.
 */
export class InHand {
  readonly #effects = new Set<EffectDelivery>()
  readonly #clock: Clock
  #isTelling = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async while<T>(effect: EffectDelivery, work: () => Promise<T>): Promise<T> {
    this.#effects.add(effect)
    if (!this.#isTelling) void this.#tell()
    try {
      return await work()
    } finally {
      this.#effects.delete(effect)
    }
  }

  async #tell(): Promise<void> {
    this.#isTelling = true
    while (this.#effects.size > 0) {
      await this.#clock.sleep(everyMs)
      for (const effect of this.#effects) effect.working()
    }
    this.#isTelling = false
  }
}

import type { Clock } from '../engine/ports.ts'

/** Calls that came late may be made up for, but not more than of so long. Timers are no finer than a millisecond. */
const burstMs = 100

/** Lets so many through a second, in the order in which they came, and the others wait. */
export class Rate {
  readonly #clock: Clock
  readonly #everyMs: number
  #nextMs = 0

  constructor(callsPerSecond: number, clock: Clock) {
    this.#clock = clock
    this.#everyMs = 1_000 / callsPerSecond
  }

  /** Resolves when it is one's turn. Rejects when the signal aborts. */
  async turn(signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.monotonicMs()
    const turnMs = Math.max(this.#nextMs, nowMs - burstMs)
    this.#nextMs = turnMs + this.#everyMs
    if (turnMs > nowMs) await this.#clock.sleep(turnMs - nowMs, signal)
    signal.throwIfAborted()
  }
}

import type { Clock } from './ports.ts'
import type { Signal } from './signal.ts'

/** What two batches lie apart: see decision 22. */
const restMs = 10

/**
 * Keeps small batches apart. A commit costs Postgres 350 µs and wakes up three processes, whatever is in it, so what trickles
 * in is better gathered. The first message after a quiet time goes at once; and when more waits than a batch holds, there is nothing to gather.
 */
export class Pace {
  readonly #clock: Clock
  readonly #wake: Signal
  #isResting = false

  /** @param wake notified when the rest is over */
  constructor(clock: Clock, wake: Signal) {
    this.#clock = clock
    this.#wake = wake
  }

  get isResting(): boolean {
    return this.#isResting
  }

  /** A batch was taken, of so many of the messages and alarms that it could have had. */
  noteTaken(items: number, max: number): void {
    if (items === 0 || items >= max) return
    this.#isResting = true
    void this.#clock.sleep(restMs).then(() => {
      this.#isResting = false
      this.#wake.notify()
    })
  }
}

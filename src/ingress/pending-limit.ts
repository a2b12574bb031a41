/** Half of those who are let in shall be answered within so long. */
const targetMs = 250
/** How long answers are collected before they are judged. Sooner, it could not be seen yet what the last limit has done. */
const judgedAfterMs = 500
/** Not fewer, however long they wait: the batches of the engine would be small, which costs more than it saves. */
const fewest = 256
const growth = 1.25

/**
 * How many commands may wait for their answers at once. Nobody can know beforehand how many a machine can do, so it is
 * found out from how long the last ones have waited:
 *
 *     half of them longer than they should   as many as are answered in the time that they should take
 *     else                                   a quarter more, up to the most
 *
 * So a burst is let in, because the first of it are answered soon, and a queue that stands is not. Under overload it goes
 * up and down around what the machine can do, and so does the wait around its target.
 */
export class PendingLimit {
  readonly #most: number
  readonly #changed: (limit: number) => void
  #current: number
  #waitsMs: number[] = []
  #sinceMs = 0

  /** @param changed told of every new limit, and of the first */
  constructor(most: number, changed: (limit: number) => void) {
    this.#most = most
    this.#changed = changed
    this.#current = most
    changed(most)
  }

  get current(): number {
    return this.#current
  }

  /** One was answered, after so long. */
  note(waitedMs: number, nowMs: number): void {
    if (this.#waitsMs.length === 0) this.#sinceMs = nowMs
    this.#waitsMs.push(waitedMs)
    if (nowMs - this.#sinceMs >= judgedAfterMs) this.#judge(nowMs)
  }

  #judge(nowMs: number): void {
    const sorted = this.#waitsMs.sort((a, b) => a - b)
    const isStanding = (sorted[Math.floor(sorted.length / 2)] ?? 0) > targetMs
    const perMs = sorted.length / (nowMs - this.#sinceMs)
    const limit = isStanding ? Math.max(fewest, Math.round(perMs * targetMs)) : Math.ceil(this.#current * growth)
    this.#waitsMs = []
    this.#sinceMs = nowMs
    if (Math.min(limit, this.#most) === this.#current) return
    this.#current = Math.min(limit, this.#most)
    this.#changed(this.#current)
  }
}

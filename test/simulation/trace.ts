/** What happened in a run, event by event: a digest of all of it, and the last lines. */
export class Trace {
  readonly #nowMs: () => number
  readonly #startMs: number
  readonly #keep: number
  #lines: string[] = []
  #high = 0x811c9dc5
  #low = 0x9e3779b9
  events = 0

  /** @param keep how many of the last lines are kept */
  constructor(nowMs: () => number, keep: number) {
    this.#nowMs = nowMs
    this.#startMs = nowMs()
    this.#keep = keep
  }

  note(who: string, what: string): void {
    const line = `${this.#nowMs() - this.#startMs} ${who}: ${what}`
    this.events += 1
    for (let i = 0; i < line.length; i++) {
      const code = line.charCodeAt(i)
      this.#high = Math.imul(this.#high ^ code, 0x01000193)
      this.#low = Math.imul(this.#low ^ code, 0x85ebca6b) ^ (this.#low >>> 15)
    }
    this.#lines.push(line)
    if (this.#lines.length >= this.#keep * 2) this.#lines = this.#lines.slice(-this.#keep)
  }

  /** The same for the same events in the same order at the same times. */
  get digest(): string {
    return [this.#high, this.#low].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
  }

  get lastLines(): string[] {
    return this.#lines.slice(-this.#keep)
  }
}

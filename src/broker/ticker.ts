/** One timer for everything here that is due a few times a second: deadlines, retries, silence, lazy acknowledgements. */
export class Ticker {
  readonly #tasks = new Set<(nowMs: number) => void>()
  readonly #timer: NodeJS.Timeout

  constructor(everyMs: number) {
    this.#timer = setInterval(() => this.#tick(), everyMs)
  }

  /** @returns what ends it */
  add(task: (nowMs: number) => void): () => void {
    this.#tasks.add(task)
    return () => this.#tasks.delete(task)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#tasks.clear()
  }

  #tick(): void {
    const nowMs = performance.now()
    for (const task of this.#tasks) task(nowMs)
  }
}

/** So many places, and a line of those who wait for one. */
export class Places {
  #free: number
  readonly #line: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  /** Nothing when there is a place; else resolves when one has become free. */
  take(): Promise<void> | undefined {
    if (this.#free <= 0) return new Promise((resolve) => this.#line.push(resolve))
    this.#free -= 1
    return undefined
  }

  leave(): void {
    const next = this.#line.shift()
    if (next) next()
    else this.#free += 1
  }

  /** Lets everybody in who waits. */
  open(): void {
    for (const next of this.#line.splice(0)) {
      this.#free -= 1
      next()
    }
  }
}

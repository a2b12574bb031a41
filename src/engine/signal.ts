/** Wakes one loop. What is notified while nobody waits is not lost; what is notified twice wakes once. */
export class Signal {
  #isSet = false
  #wake: (() => void) | undefined

  notify(): void {
    this.#isSet = true
    this.#wake?.()
  }

  async wait(): Promise<void> {
    if (!this.#isSet) await new Promise<void>((resolve) => (this.#wake = resolve))
    this.#wake = undefined
    this.#isSet = false
  }
}

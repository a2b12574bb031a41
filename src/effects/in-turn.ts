/**
 * Lets two copies of one effect, which a redrive can put into the queue, pass one after the other: the second then sees what
 * the first has done. A row that is appended has no key by which the service could tell.
 */
export class InTurn {
  readonly #last = new Map<string, Promise<unknown>>()

  /** @param work is told whether it had to wait for another of the same id */
  async run<T>(id: string, work: (isSecond: boolean) => Promise<T>): Promise<T> {
    const before = this.#last.get(id)
    const done = before ? before.then(() => work(true)) : work(false)
    const settled = done.catch(() => undefined)
    this.#last.set(id, settled)
    try {
      return await done
    } finally {
      if (this.#last.get(id) === settled) this.#last.delete(id)
    }
  }
}

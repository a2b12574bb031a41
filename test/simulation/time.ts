import type { Clock } from '../../src/engine/ports.ts'

type Planned = { atMs: number; order: number; task: () => void }

/**
 * Time that passes only in `step`, from one planned event to the next; events of the same millisecond come in the order in
 * which they were planned. So a lease runs out in no time, and everything happens again in the same order.
 */
export class Time {
  nowMs = 1_800_000_000_000
  /** How many events have happened. */
  steps = 0
  /** A binary heap: the next one is the first. */
  readonly #planned: Planned[] = []
  #plans = 0

  readonly plan = (delayMs: number, task: () => void): void => {
    const event = { atMs: this.nowMs + delayMs, order: this.#plans++, task }
    const heap = this.#planned
    let hole = heap.push(event) - 1
    while (hole > 0) {
      const above = (hole - 1) >> 1
      if (!isBefore(event, heap[above] as Planned)) break
      heap[hole] = heap[above] as Planned
      hole = above
    }
    heap[hole] = event
  }

  /** @param run lets a task go on, when whoever has the clock can */
  clock(run = (task: () => void): void => task()): Clock {
    return {
      monotonicMs: () => this.nowMs,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          const wake = (): void => {
            signal?.removeEventListener('abort', wake)
            resolve()
          }
          if (signal?.aborted) return resolve()
          this.plan(ms, () => run(wake))
          signal?.addEventListener('abort', wake)
        }),
    }
  }

  /** First everything that follows from what has happened, then the next event. @returns whether there was one */
  async step(): Promise<boolean> {
    await new Promise((resolve) => setImmediate(resolve))
    const next = this.#take()
    if (!next) return false
    this.nowMs = next.atMs
    this.steps += 1
    next.task()
    return true
  }

  #take(): Planned | undefined {
    const heap = this.#planned
    const first = heap[0]
    const last = heap.pop()
    if (heap.length === 0 || !last) return first
    let hole = 0
    for (;;) {
      let below = hole * 2 + 1
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Planned, heap[below] as Planned)) below += 1
      if (below >= heap.length || !isBefore(heap[below] as Planned, last)) break
      heap[hole] = heap[below] as Planned
      hole = below
    }
    heap[hole] = last
    return first
  }
}

const isBefore = (a: Planned, b: Planned): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)

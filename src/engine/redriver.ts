import type { Clock, Log, Observer, Publisher } from './ports.ts'
import { addCounts, findLost, noCounts, positionBefore } from './redrive.ts'
import type { RedriveOrder, RedriveStore } from './redrive-ports.ts'

export type RedriverPorts = {
  redrives: RedriveStore
  publisher: Pick<Publisher, 'publish'>
  clock: Clock
  log: Log
  observer: Pick<Observer, 'redriven'>
}

const lookEveryMs = 1_000
/** After each page it rests for so many times as long as that took: the traffic has the rest. */
const restsPerWork = 3

/**
 * Carries out the redrives that are due in this worker's partitions: publishes what has no taker again, a page of the
 * journal at a time. How far it is is in the store, so whoever takes the partition over goes on from there.
 */
export class Redriver {
  readonly #partitionCount: number
  readonly #owned: () => number[]
  readonly #ports: RedriverPorts
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined

  /** @param owned the partitions that this worker owns at present */
  constructor(partitionCount: number, owned: () => number[], ports: RedriverPorts) {
    this.#partitionCount = partitionCount
    this.#owned = owned
    this.#ports = ports
  }

  start(): void {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { redrives, clock, log } = this.#ports
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        for (const order of await redrives.orders(this.#owned())) await this.#carryOut(order)
      } catch (error) {
        log.debug({ err: error }, 'a redrive cannot go on yet')
      }
      await clock.sleep(lookEveryMs, signal)
    }
  }

  async #carryOut(order: RedriveOrder): Promise<void> {
    const { redrives, publisher, clock, log, observer } = this.#ports
    const { partition, upTo, round, settled } = order
    const { signal } = this.#stopping
    const eventsSince = order.eventsSince ?? undefined
    const after = order.position ?? (await this.#beginningOf(order))
    if (after >= upTo) return redrives.noteRedriven({ ...order, position: upTo })
    const counts = noCounts()
    log.debug({ partition, after, upTo, eventsSince }, 'redriving what the broker may have lost')
    let beganMs = clock.monotonicMs()
    for await (const page of findLost(redrives, this.#partitionCount, {
      partition,
      after,
      upTo,
      settled,
      eventsSince,
    })) {
      const again = page.lost.map(({ message }) => ({ ...message, round: `redrive-${round}` }))
      if (!(await this.#unlessStopped(publisher.publish(again)))) return
      addCounts(counts, page.counts)
      for (const what of ['sends', 'calls', 'events'] as const) observer.redriven(what, page.counts[what].lost)
      await redrives.noteRedriven({ ...order, position: page.position, settled: page.settled })
      if (!this.#owned().includes(partition)) return
      await clock.sleep((clock.monotonicMs() - beganMs) * restsPerWork, signal)
      if (signal.aborted) return
      beganMs = clock.monotonicMs()
    }
    log.info({ partition, turns: upTo - after, ...counts }, 'redriven')
  }

  /** Behind what is settled, unless events are lost from before. */
  async #beginningOf({ partition, settled, upTo, eventsSince }: RedriveOrder): Promise<number> {
    if (eventsSince === null) return settled
    return Math.min(settled, await positionBefore(this.#ports.redrives, partition, upTo, eventsSince))
  }

  /** What is being published while the broker is away must not hold up a stop. */
  #unlessStopped(publishing: Promise<void>): Promise<boolean> {
    const { signal } = this.#stopping
    return new Promise((resolve, reject) => {
      publishing.then(() => resolve(true), reject)
      signal.addEventListener('abort', () => resolve(false), { once: true })
    })
  }
}

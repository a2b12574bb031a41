import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { partitionOf } from '../../src/actor/ids.ts'

const everyMs = 300
const timeoutMs = 6_000

/** When each partition answered a command that one turn decides. Times are of `performance.now()`. */
export class Gauge {
  readonly answers: number[][]

  constructor(partitions: number) {
    this.answers = Array.from({ length: partitions }, () => [])
  }

  note(partition: number, atMs: number): void {
    this.answers[partition]?.push(atMs)
  }

  /** The longest that one of these partitions went without an answer from `fromMs` to `toMs`, and somewhat around. */
  longestGap(partitions: number[], fromMs: number, toMs: number): number {
    return Math.max(0, ...partitions.map((partition) => this.#longestGap(partition, fromMs, toMs)))
  }

  #longestGap(partition: number, fromMs: number, toMs: number): number {
    const all = this.answers[partition] ?? []
    // From the last answer before to the first one after.
    const before = all.findLastIndex((atMs) => atMs < fromMs)
    const after = all.findIndex((atMs) => atMs > toMs)
    const around = all.slice(Math.max(0, before), after === -1 ? undefined : after + 1)
    return Math.max(0, ...around.slice(1).map((atMs, index) => atMs - (around[index] ?? atMs)))
  }

  /** When the last of these partitions gave its first answer from then on; undefined while one has not. */
  allAnswered(partitions: number[], fromMs: number): number | undefined {
    const firsts = partitions.map((partition) => {
      const all = this.answers[partition] ?? []
      const before = all.findLastIndex((atMs) => atMs < fromMs)
      return all[before + 1]
    })
    return firsts.includes(undefined) ? undefined : Math.max(fromMs, ...(firsts as number[]))
  }
}

/** Asks an actor of each partition again and again, one question at a time. */
export function startGauge(url: string, partitions: number): { gauge: Gauge; stop(): Promise<void> } {
  const gauge = new Gauge(partitions)
  let isStopping = false
  const line = async (partition: number): Promise<void> => {
    // Nobody knows this ticket, so it answers 404, by a turn that changes nothing.
    const ticket = idIn(partition, partitions)
    while (!isStopping) {
      const isAnswered = await ask(`${url}/ticket-refund/${ticket}`)
      if (isAnswered) gauge.note(partition, performance.now())
      await sleep(everyMs)
    }
  }
  const lines = gauge.answers.map((_, partition) => line(partition))
  return {
    gauge,
    async stop() {
      isStopping = true
      await Promise.all(lines)
    },
  }
}

async function ask(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { method: 'PUT', signal: AbortSignal.timeout(timeoutMs) })
    await response.body?.cancel()
    return response.status === 404
  } catch {
    return false
  }
}

function idIn(partition: number, partitions: number): string {
  for (;;) {
    const id = randomUUID()
    if (partitionOf(id, partitions) === partition) return id
  }
}

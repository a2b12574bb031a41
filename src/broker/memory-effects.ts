import type { Service } from '../../schemas/index.ts'
import type { EffectDelivery, EffectQueue } from '../engine/ports.ts'
import { decodeHeaders, mayRepeat, waitOf } from './headers.ts'
import type { Schedule } from './memory-mailboxes.ts'
import type { MemoryStream } from './memory-stream.ts'
import type { Subjects } from './subjects.ts'
import type { Stored } from './wire.ts'

const rejectedRetryMs = 1_000

/** An effect in the queue. `lease` names the delivery that it is out for at present. */
type Item = { message: Stored; attempts: number; lease: object | undefined /** Of the stream. */; life: object }

type Consumer = {
  service: string
  concurrency: number
  inHand: number
  handle: (effect: EffectDelivery) => Promise<void>
}

/** The work queue in memory. All processes share one of these. */
export class MemoryEffectQueue {
  readonly #stream: MemoryStream
  readonly #subjects: Subjects
  readonly #schedule: Schedule
  /** What is in hand comes again when nobody has said a word for so long. */
  ackWaitMs = 30_000
  readonly #consumers = new Set<Consumer>()
  #life = {}
  /** What nobody works on, by service. */
  readonly #waiting = new Map<string, Item[]>()

  constructor(stream: MemoryStream, subjects: Subjects, schedule: Schedule) {
    this.#stream = stream
    this.#subjects = subjects
    this.#schedule = schedule
    stream.onLoss(() => {
      this.#waiting.clear()
      this.#life = {}
    })
    stream.onAppend((service, message) => {
      this.#enqueue(service, { message, attempts: 0, lease: undefined, life: this.#life })
    })
  }

  /** One process's way in. Closing it lets go of its consumers, not of what they have in hand. */
  connect(): EffectQueue & { close(): Promise<void> } {
    const consumers: Consumer[] = []
    const end = async (ended: Consumer[]) => {
      for (const consumer of ended) this.#consumers.delete(consumer)
    }
    return {
      consume: async (service: Service, concurrency, handle) => {
        const consumer = { service, concurrency, inHand: 0, handle }
        consumers.push(consumer)
        this.#consumers.add(consumer)
        this.#hand(service)
        return {
          limit: (concurrency) => {
            consumer.concurrency = concurrency
            this.#hand(service)
          },
          close: () => end([consumer]),
        }
      },
      waiting: async (service) => this.#stream.after(service, 0, 0).left,
      close: () => end(consumers),
    }
  }

  #enqueue(service: string, item: Item): void {
    item.lease = undefined
    // What was in hand when the stream was lost is gone with it.
    if (item.life !== this.#life) return
    const waiting = this.#waiting.get(service) ?? []
    waiting.push(item)
    this.#waiting.set(service, waiting)
    this.#hand(service)
  }

  #hand(service: string): void {
    this.#schedule(0, () => {
      const waiting = this.#waiting.get(service) ?? []
      while (waiting.length > 0) {
        const next = [...this.#consumers].find((one) => one.service === service && one.inHand < one.concurrency)
        if (!next) return
        // To the end of the line, so that each process gets its share.
        this.#consumers.delete(next)
        this.#consumers.add(next)
        void this.#work(next, waiting.shift() as Item)
      }
    })
  }

  async #work(consumer: Consumer, item: Item): Promise<void> {
    consumer.inHand += 1
    item.attempts += 1
    const effect = this.#delivery(consumer.service as Service, item)
    const waitMs = waitOf(effect.headers, effect.attempt, this.#stream.nowMs())
    try {
      if (waitMs === undefined) await consumer.handle(effect)
      else effect.retry(waitMs)
    } catch {
      effect.retry(rejectedRetryMs)
    } finally {
      consumer.inHand -= 1
      this.#hand(consumer.service)
    }
  }

  #delivery(service: Service, item: Item): EffectDelivery {
    const { subject, headers, payload, sequence, at } = item.message
    let lease = this.#lease(service, item)
    const isOurs = () => item.lease === lease
    return {
      service,
      ...this.#subjects.parseEffect(subject),
      ...decodeHeaders(headers, () => `${this.#stream.state.id}/${sequence}`),
      payload,
      headers,
      attempt: item.attempts,
      mayBeRepeat: mayRepeat(headers, at, this.#stream.duplicateWindowMs),
      done: async () => {
        item.lease = undefined
        this.#stream.remove(service, (message) => message === item.message)
      },
      retry: (delayMs) => {
        if (!isOurs()) return
        item.lease = undefined
        this.#schedule(delayMs, () => this.#enqueue(service, item))
      },
      working: () => {
        if (isOurs()) lease = this.#lease(service, item)
      },
    }
  }

  /** Out of sight for a while; back in the queue when nobody says a word until then. */
  #lease(service: string, item: Item): object {
    const lease = {}
    item.lease = lease
    this.#schedule(this.ackWaitMs, () => {
      if (item.lease === lease) this.#enqueue(service, item)
    })
    return lease
  }
}

import { AckPolicy, DeliverPolicy, type JetStreamManager } from '@nats-io/jetstream'
import { nanos } from '@nats-io/transport-node'
import type { Service } from '../../schemas/index.ts'
import type { EffectConsumer, EffectDelivery, EffectQueue, Log } from '../engine/ports.ts'
import type { Connection } from './connection.ts'
import { EffectReader } from './effect-reader.ts'
import { isNotFound } from './streams.ts'
import type { Subjects } from './subjects.ts'
import type { Ticker } from './ticker.ts'

/** After this without a word an effect is another process's. */
const ackWaitMs = 30_000

/** The work queue of effects: one durable consumer a service, which all processes share. */
export class NatsEffectQueue implements EffectQueue {
  readonly #connection: Connection
  readonly #manager: JetStreamManager
  readonly #subjects: Subjects
  readonly #log: Log
  readonly #readers = new Set<EffectReader>()

  constructor(connection: Connection, manager: JetStreamManager, subjects: Subjects, ticker: Ticker, log: Log) {
    this.#connection = connection
    this.#manager = manager
    this.#subjects = subjects
    this.#log = log
    ticker.add((nowMs) => {
      for (const reader of this.#readers) reader.tick(nowMs)
    })
    connection.on('disconnected', () => {
      for (const reader of this.#readers) reader.forgetDeliveries()
    })
    connection.on('reconnected', () => {
      for (const reader of this.#readers) reader.connectionLost()
    })
  }

  async consume(
    service: Service,
    concurrency: number,
    handle: (effect: EffectDelivery) => Promise<void>,
  ): Promise<EffectConsumer> {
    const reader = new EffectReader({
      connection: this.#connection,
      subjects: this.#subjects,
      log: this.#log,
      service,
      concurrency,
      handle,
      ensureConsumer: () => this.#ensureConsumer(service),
    })
    this.#readers.add(reader)
    return {
      limit: (concurrency) => reader.limit(concurrency),
      close: async () => {
        this.#readers.delete(reader)
        await reader.close()
      },
    }
  }

  async waiting(service: Service): Promise<number> {
    const { effectStream } = this.#subjects
    const look = () => this.#manager.consumers.info(effectStream, service)
    const { num_pending, num_ack_pending } = await this.#connection.whileConnected(look)
    return num_pending + num_ack_pending
  }

  async close(): Promise<void> {
    await Promise.all([...this.#readers].map((reader) => reader.close()))
    this.#readers.clear()
  }

  /** One that is there is taken as it is: its settings are the operators' to change. */
  async #ensureConsumer(service: Service): Promise<void> {
    this.#connection.check()
    const { effectStream } = this.#subjects
    try {
      await this.#manager.consumers.info(effectStream, service)
    } catch (error) {
      if (!isNotFound(error)) throw error
      await this.#manager.consumers.add(effectStream, {
        durable_name: service,
        filter_subject: this.#subjects.effectsOf(service),
        deliver_policy: DeliverPolicy.All,
        ack_policy: AckPolicy.Explicit,
        ack_wait: nanos(ackWaitMs),
        // Those that wait for their next attempt count too, and must not hold up the others.
        max_ack_pending: -1,
      })
    }
  }
}

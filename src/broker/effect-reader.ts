import { setTimeout as sleep } from 'node:timers/promises'
import { type Msg, nanos } from '@nats-io/transport-node'
import type { Service } from '../../schemas/index.ts'
import type { EffectDelivery, Log } from '../engine/ports.ts'
import { TurnstileError } from '../errors.ts'
import type { Connection } from './connection.ts'
import type { DeliveryInfo } from './delivery-info.ts'
import { decodeHeaders, mayRepeat, waitOf } from './headers.ts'
import { readHeaders } from './nats-headers.ts'
import { Pull } from './pull.ts'
import type { Subjects } from './subjects.ts'

/** A handler that rejects could not even say what became of its effect: most likely the database is away. */
const rejectedRetryMs = 1_000
const reopenMs = 500
/** By how much the server's clock and ours may differ. */
const clocksDifferMs = 60_000

export type EffectReaderOptions = {
  connection: Connection
  subjects: Subjects
  log: Log
  service: Service
  concurrency: number
  handle: (effect: EffectDelivery) => Promise<void>
  /** Makes the consumer when it is missing. */
  ensureConsumer(): Promise<void>
}

/** Takes effects of one service off the queue, never more than can be worked on at once, and begins again when it breaks. */
export class EffectReader {
  readonly #options: EffectReaderOptions
  #pull: Pull | undefined
  #concurrency: number
  #inHand = 0
  /** Rises when what was delivered may be another message's for the server from then on. */
  #life = 0
  /** When the reading last broke, in milliseconds since 1970. */
  #brokeAtMs = Number.NEGATIVE_INFINITY
  #isClosing = false

  constructor(options: EffectReaderOptions) {
    this.#options = options
    this.#concurrency = options.concurrency
    void this.#run()
  }

  tick(nowMs: number): void {
    this.#pull?.checkSilence(nowMs)
  }

  connectionLost(): void {
    this.#pull?.fail(new TurnstileError('mailbox-lost', 'the connection to NATS was lost'))
  }

  /**
   * An acknowledgement names its message by the sequence alone. A server that comes back without its data gives the
   * sequences to others, which that would take off the queue unseen: so what came before is not acknowledged any more. If
   * it is still there it comes again, and does no harm.
   */
  forgetDeliveries(): void {
    this.#life += 1
  }

  limit(concurrency: number): void {
    this.#concurrency = concurrency
    this.#refill()
  }

  /** Takes nothing more. What arrives all the same is given back at once. */
  async close(): Promise<void> {
    this.#isClosing = true
    await this.#pull?.drain()
  }

  async #run(): Promise<void> {
    const { connection, subjects, log, service, ensureConsumer } = this.#options
    while (!this.#isClosing) {
      try {
        await ensureConsumer()
        const broken = new Promise<Error>((resolve) => {
          this.#pull = new Pull(connection, subjects.effectStream, service, {
            message: (message, info) => this.#receive(message, info),
            ended: () => this.#refill(),
            broken: resolve,
          })
        })
        this.#refill()
        const cause = await broken
        this.forgetDeliveries()
        this.#brokeAtMs = Date.now()
        log.debug({ service, err: cause }, 'the reading of effects broke, beginning again')
      } catch (error) {
        log.debug({ service, err: error }, 'effects cannot be read yet')
      }
      await sleep(reopenMs, undefined, { ref: false })
    }
  }

  #refill(): void {
    const free = this.#concurrency - this.#inHand
    if (free > 0 && this.#pull?.outstanding === 0 && !this.#isClosing) this.#pull.ask(free)
  }

  #receive(message: Msg, info: DeliveryInfo): void {
    const effect = this.#decode(message, info)
    const waitMs = waitOf(effect.headers, effect.attempt, Date.now())
    if (this.#isClosing) effect.retry(0)
    else {
      if (waitMs === undefined) void this.#work(effect)
      else effect.retry(waitMs)
      // All that was asked for may be here while places are free again.
      this.#refill()
    }
  }

  async #work(effect: EffectDelivery): Promise<void> {
    this.#inHand += 1
    try {
      await this.#options.handle(effect)
    } catch (error) {
      const { service, messageId, attempt } = effect
      this.#options.log.error(
        { service, messageId, attempt, err: error },
        'an effect was not handled; tried again shortly',
      )
      effect.retry(rejectedRetryMs)
    } finally {
      this.#inHand -= 1
      this.#refill()
    }
  }

  #decode(message: Msg, info: DeliveryInfo): EffectDelivery {
    const { subject, reply = '', data: payload } = message
    const { subjects, service } = this.#options
    const headers = readHeaders(message)
    const life = this.#life
    const tell = (word: string): void => {
      if (life === this.#life) this.#options.connection.tell(reply, word)
    }
    const place = () => `${subjects.effectStream}/${info.at}/${info.streamSequence}`
    return {
      service,
      ...subjects.parseEffect(subject),
      ...decodeHeaders(headers, place),
      payload,
      headers,
      attempt: info.delivered,
      // A server that was killed may have forgotten that it handed it over, and count from one again.
      mayBeRepeat: info.at < this.#brokeAtMs + clocksDifferMs || mayRepeat(headers, info.at),
      // When this gets lost, the effect comes again by and by, and does no harm.
      done: async () => tell('+ACK'),
      retry: (delayMs) => tell(`-NAK ${JSON.stringify({ delay: nanos(delayMs) })}`),
      working: () => tell('+WPI'),
    }
  }
}

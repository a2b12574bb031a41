import { setTimeout as sleep } from 'node:timers/promises'
import { type Msg, nanos, type Subscription } from '@nats-io/transport-node'
import { TurnstileError } from '../errors.ts'
import type { Connection } from './connection.ts'
import { type DeliveryInfo, parseDeliveryInfo } from './delivery-info.ts'
import { readStatus } from './nats-headers.ts'

/**
 * Less than a consumer may be without a request before it is deleted, and no shorter than it need be: nats-server 2.9.10 now and
 * then (once in some thousand times, on a busy machine) forgets a request that comes when the one before has just expired.
 */
const expiresMs = 4 * 60_000
const heartbeatMs = 1_000
/** The server is silent for longer than it promised to be. A request waits for its answer longer than this. */
const silenceMs = 3_000
const drainMs = 1_000

export type PullEvents = {
  message(message: Msg, info: DeliveryInfo): void
  /** The request came to its end. Time to ask again. */
  ended(): void
  /** Nothing will come any more. Once. */
  broken(cause: Error): void
}

/**
 * Pull requests to one consumer, one at a time: never more than was asked for is on its way, so that whoever asks knows
 * exactly how much can come. (The library's `consume` asks again while its buffer is still full.) A subscription of its
 * own keeps what an earlier reading asked for from being taken for an answer, and a subject for each request the word of
 * its end: nats-server from 2.10 on says `Batch Completed` behind the last message, when we may have asked again already.
 */
export class Pull {
  readonly #connection: Connection
  readonly #nextSubject: string
  readonly #events: PullEvents
  readonly #inbox: string
  readonly #subscription: Subscription
  #requests = 0
  #replyTo = ''
  #outstanding = 0
  #received = 0
  #heardMs = 0
  #isClosed = false

  constructor(connection: Connection, stream: string, consumer: string, events: PullEvents) {
    this.#connection = connection
    this.#inbox = connection.createInbox()
    this.#nextSubject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`
    this.#events = events
    this.#subscription = connection.subscribe(
      `${this.#inbox}.*`,
      (message) => this.#receive(message),
      (error) => this.fail(error),
    )
  }

  /** How many messages may still come of what was asked for. */
  get outstanding(): number {
    return this.#outstanding
  }

  /** Asks for up to so many messages. Not while something is outstanding. */
  ask(batch: number, maxBytes?: number): void {
    this.#replyTo = `${this.#inbox}.${++this.#requests}`
    this.#outstanding = batch
    this.#received = 0
    this.#heardMs = performance.now()
    const request = { batch, max_bytes: maxBytes, expires: nanos(expiresMs), idle_heartbeat: nanos(heartbeatMs) }
    this.#connection.nats.publish(this.#nextSubject, JSON.stringify(request), { reply: this.#replyTo })
  }

  checkSilence(nowMs: number): void {
    if (this.#outstanding > 0 && nowMs - this.#heardMs > silenceMs) {
      this.fail(new TurnstileError('mailbox-lost', `the consumer has been silent for ${silenceMs} ms`))
    }
  }

  fail(cause: Error): void {
    if (this.#isClosed) return
    this.close()
    this.#events.broken(cause)
  }

  /** Takes nothing more. What is on its way is lost to us, and delivered again by and by if the consumer does that. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#outstanding = 0
    if (!this.#connection.nats.isClosed()) this.#subscription.unsubscribe()
  }

  /** Like `close`, but what is on its way still arrives. */
  async drain(): Promise<void> {
    if (this.#isClosed) return
    await Promise.race([this.#subscription.drain(), sleep(drainMs, undefined, { ref: false })])
    this.close()
  }

  #receive(message: Msg): void {
    if (this.#isClosed) return
    this.#heardMs = performance.now()
    // What a stream delivers keeps its own subject; what comes to the inbox itself is the server speaking.
    if (message.subject === this.#replyTo) this.#heed(message)
    else if (!message.subject.startsWith(this.#inbox)) {
      this.#outstanding -= 1
      this.#received += 1
      this.#events.message(message, parseDeliveryInfo(message.reply ?? ''))
    }
  }

  #heed(message: Msg): void {
    const { code, description } = readStatus(message)
    if (code === 100) return
    const isTooLarge = /exceeds maxbytes/i.test(description)
    if (code === 404 || code === 408 || isTooLarge || /batch completed/i.test(description)) {
      this.#outstanding = 0
      // A single message may be larger than all that was wanted at once. It must come all the same.
      if (isTooLarge && this.#received === 0) this.ask(1)
      else this.#events.ended()
    } else {
      this.fail(
        new TurnstileError('mailbox-lost', `the server ended the reading: ${code} ${description || 'no responders'}`),
      )
    }
  }
}

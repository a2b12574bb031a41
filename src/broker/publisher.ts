import type { Answer, DeadLetter, Log, Outgoing, Publisher } from '../engine/ports.ts'
import type { Span, Tracer } from '../engine/trace-ports.ts'
import { TurnstileError } from '../errors.ts'
import type { Acks, Stored } from './acks.ts'
import type { Connection } from './connection.ts'
import { markRepeat } from './headers.ts'
import type { NatsRequests } from './requests.ts'
import type { Subjects } from './subjects.ts'
import type { Ticker } from './ticker.ts'
import { encodeAnswer, encodeDeadLetter, encodeOutgoing, type Wire } from './wire.ts'

/** More than a stream's queue takes at once (10,000 by default) would be refused. */
const maxUnderWay = 4_000
const timeoutMs = 5_000
const firstRetryMs = 100
const maxRetryMs = 5_000

/** What one call of `publish` waits for. */
type Call = { left: number; resolve(): void; reject(error: Error): void }
type Item = { wire: Wire; span: Span | undefined; call: Call; attempts: number; dueMs: number; cause?: Error }

export type PublisherOptions = {
  connection: Connection
  acks: Acks
  subjects: Subjects
  /** Those of this process: what answers them need not go by the broker. */
  requests: NatsRequests
  ticker: Ticker
  tracer: Pick<Tracer, 'publish'>
  log: Log
}

/** Publishes until it is stored: the first attempts in order, as many at a time as the broker takes. */
export class NatsPublisher implements Publisher {
  readonly #connection: Connection
  readonly #acks: Acks
  readonly #subjects: Subjects
  readonly #tracer: Pick<Tracer, 'publish'>
  readonly #log: Log
  readonly #requests: NatsRequests
  readonly #stopRetrying: () => void
  #queue: Item[] = []
  #head = 0
  #failed: Item[] = []
  #underWay = 0
  #isClosed = false

  constructor({ connection, acks, subjects, requests, ticker, tracer, log }: PublisherOptions) {
    this.#connection = connection
    this.#requests = requests
    this.#acks = acks
    this.#subjects = subjects
    this.#tracer = tracer
    this.#log = log
    this.#stopRetrying = ticker.add((nowMs) => this.#retry(nowMs))
  }

  publish(messages: Outgoing[]): Promise<void> {
    if (this.#isClosed) return Promise.reject(closed())
    if (messages.length === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const call = { left: messages.length, resolve, reject }
      for (const message of messages) {
        const wire = encodeOutgoing(this.#subjects, message)
        const span = this.#tracer.publish(message, wire.subject)
        this.#queue.push({ wire, span, call, attempts: 0, dueMs: 0 })
      }
      this.#send()
    })
  }

  reply(subject: string, answer: Answer): void {
    if (!this.#subjects.takesReplies(subject)) {
      this.#log.warn({ subject, requestId: answer.requestId }, 'an answer is not sent: it may not go to this subject')
    } else if (subject === this.#requests.replyTo) this.#requests.answer(answer)
    else this.#connection.tell(subject, encodeAnswer(answer))
  }

  announce(letter: DeadLetter): void {
    this.#connection.tell(this.#subjects.deadLetter(letter.kind), encodeDeadLetter(letter))
  }

  close(): void {
    this.#isClosed = true
    this.#stopRetrying()
    for (const { call } of [...this.#queue.slice(this.#head), ...this.#failed]) call.reject(closed())
    this.#queue = []
    this.#head = 0
    this.#failed = []
  }

  #send(): void {
    while (this.#head < this.#queue.length && this.#underWay < maxUnderWay && this.#connection.isConnected) {
      const item = this.#queue[this.#head++]
      if (item) this.#attempt(item)
    }
    // What has left is cut off when it is half of the queue: under steady pressure the queue is never empty.
    if (this.#head * 2 >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
  }

  #attempt(item: Item): void {
    this.#underWay += 1
    item.attempts += 1
    this.#acks.publish(item.wire, timeoutMs, (stored) => {
      this.#underWay -= 1
      this.#settle(item, stored)
      this.#send()
    })
  }

  #settle(item: Item, stored: Stored): void {
    if (!(stored instanceof TurnstileError)) {
      item.span?.end()
      item.call.left -= 1
      if (item.call.left === 0) item.call.resolve()
    } else if (this.#isClosed) {
      item.call.reject(closed())
    } else {
      const delayMs = Math.min(firstRetryMs * 2 ** (item.attempts - 1), maxRetryMs)
      item.cause = stored
      // By the time it is tried again the broker may have stored it, handed it over and forgotten its id.
      if (stored.code === 'broker-timeout') item.wire = { ...item.wire, headers: markRepeat(item.wire.headers) }
      item.dueMs = performance.now() + delayMs
      this.#failed.push(item)
    }
  }

  #retry(nowMs: number): void {
    const due = this.#failed.filter(({ dueMs }) => dueMs <= nowMs)
    if (due.length > 0) {
      this.#failed = this.#failed.filter(({ dueMs }) => dueMs > nowMs)
      const oldest = due.reduce((a, b) => (b.attempts > a.attempts ? b : a))
      // One line for all of them: in an outage there are thousands.
      const fields = {
        messages: due.length,
        attempts: oldest.attempts,
        subject: oldest.wire.subject,
        err: oldest.cause,
      }
      this.#log[oldest.attempts < 3 ? 'debug' : 'warn'](fields, 'not stored yet; trying again')
      this.#queue.push(...due)
    }
    this.#send()
  }
}

const closed = (): TurnstileError => new TurnstileError('broker-unavailable', 'the publisher is closed')

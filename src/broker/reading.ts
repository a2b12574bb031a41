import type { Msg } from '@nats-io/transport-node'
import type { Delivery, Mailbox, MailboxEvents, StreamState } from '../engine/ports.ts'
import { TurnstileError } from '../errors.ts'
import type { Connection } from './connection.ts'
import type { DeliveryInfo } from './delivery-info.ts'
import { readHeaders } from './nats-headers.ts'
import { Pull } from './pull.ts'
import type { Subjects } from './subjects.ts'
import { decodeDelivery } from './wire.ts'

/** The most messages of a partition that are here and not taken, or on their way. */
const maxMessages = 512
/** The most bytes that one request brings. While half as many are here, nothing is asked for. */
const maxBytes = 4 * 1024 * 1024

export type ReadingOptions = {
  connection: Connection
  subjects: Subjects
  partition: number
  consumer: string
  stream: StreamState
  cursor: number
  /** How many messages lie behind the cursor. */
  pending: number
  events: MailboxEvents
  /** Deletes the consumer. Never rejects. */
  release(): Promise<void>
}

type Entry = { delivery: Delivery; ackSubject: string }

/**
 * One partition, read through one consumer:
 *
 *     ask ──▶ receive … ──▶ take … ──▶ ask again when there is room for half
 *
 * The consumer counts its deliveries. Any number but the next, or a message that comes a second time, means that
 * something was lost on the way: that ends the reading, and the next one starts from the cursor.
 */
export class Reading implements Mailbox {
  readonly stream: StreamState
  readonly #options: ReadingOptions
  readonly #pull: Pull
  #buffer: Entry[] = []
  #bufferedBytes = 0
  #received = 0
  #sequence: number
  #pending: number
  /** The last of each take: acknowledging it acknowledges all before. */
  #taken: { sequence: number; ackSubject: string }[] = []
  #ackSubject: string | undefined
  #isClosed = false

  constructor(options: ReadingOptions) {
    this.#options = options
    this.stream = options.stream
    this.#sequence = options.cursor
    this.#pending = options.pending
    this.#pull = new Pull(options.connection, options.subjects.mailboxStream, options.consumer, {
      message: (message, info) => this.#receive(message, info),
      ended: () => this.#refill(),
      broken: (cause) => this.#lose(cause),
    })
    this.#refill()
  }

  get waiting(): number {
    return this.#buffer.length
  }

  get lag(): number {
    return this.#pending
  }

  get oldestAt(): number | undefined {
    return this.#buffer[0]?.delivery.at
  }

  take(max: number): Delivery[] {
    const entries = this.#buffer.splice(0, max)
    const last = entries.at(-1)
    if (!last) return []
    this.#taken.push({ sequence: last.delivery.sequence, ackSubject: last.ackSubject })
    for (const { delivery } of entries) this.#bufferedBytes -= delivery.payload.length
    this.#refill()
    return entries.map(({ delivery }) => delivery)
  }

  acknowledge(sequence: number): void {
    const first = this.#taken.findIndex((take) => take.sequence > sequence)
    const passed = this.#taken.splice(0, first === -1 ? this.#taken.length : first)
    this.#ackSubject = passed.at(-1)?.ackSubject ?? this.#ackSubject
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#end()
    await this.#options.release()
  }

  /** Called a few times a second: one acknowledgement for all since, and a look whether the server is still there. */
  tick(nowMs: number): void {
    if (this.#ackSubject) this.#options.connection.tell(this.#ackSubject, '+ACK')
    this.#ackSubject = undefined
    this.#pull.checkSilence(nowMs)
  }

  /** What was asked for may have been lost with the connection. */
  connectionLost(): void {
    this.#lose(new TurnstileError('mailbox-lost', 'the connection to NATS was lost'))
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  #receive(message: Msg, { delivered, consumerSequence, streamSequence, at, pending }: DeliveryInfo): void {
    if (delivered !== 1 || consumerSequence !== this.#received + 1 || !(streamSequence > this.#sequence)) {
      const what = `delivery ${consumerSequence} (sequence ${streamSequence}, for the ${delivered}. time)`
      this.#lose(new TurnstileError('mailbox-lost', `${what} does not follow ${this.#received} (${this.#sequence})`))
      return
    }
    const { subjects, partition, events } = this.#options
    const { subject, data: payload, reply = '' } = message
    const stored = { subject, headers: readHeaders(message), payload, sequence: streamSequence, at }
    this.#buffer.push({ delivery: decodeDelivery(subjects, partition, this.stream.id, stored), ackSubject: reply })
    this.#bufferedBytes += payload.length
    this.#received = consumerSequence
    this.#sequence = streamSequence
    this.#pending = pending
    this.#refill()
    if (this.#buffer.length === 1) events.ready()
  }

  #refill(): void {
    const room = maxMessages - this.#buffer.length
    const isDue = room >= maxMessages / 2 && this.#bufferedBytes <= maxBytes / 2
    if (isDue && this.#pull.outstanding === 0 && !this.#isClosed) this.#pull.ask(room, maxBytes)
  }

  #lose(cause: Error): void {
    if (this.#isClosed) return
    this.#end()
    this.#options.events.lost(cause)
  }

  #end(): void {
    this.#isClosed = true
    this.#buffer = []
    this.#taken = []
    this.#ackSubject = undefined
    this.#pull.close()
  }
}

import { partitionOf } from '../actor/ids.ts'
import type { Broker } from './broker.ts'
import type { Headers } from './headers.ts'
import { MemoryClient } from './memory-client.ts'
import { MemoryEffectQueue } from './memory-effects.ts'
import { MemoryMailboxes, type Schedule } from './memory-mailboxes.ts'
import { MemoryStream } from './memory-stream.ts'
import { Subjects } from './subjects.ts'

export type MemoryBrokerOptions = {
  prefix: string
  partitions: number
  nowMs: () => number
  /** Runs the task after so long, and never at once. Whoever gives it decides on time and order. */
  schedule: Schedule
}

/** A message on its way to plain subscribers. */
export type PlainMessage = { subject: string; headers: Headers; body: string }

/**
 * The broker in memory, for tests and the simulation: it does what NATS does, by a clock and a scheduler that are given
 * to it. What goes through it is encoded as on the wire.
 */
export class MemoryBroker {
  readonly options: MemoryBrokerOptions
  readonly subjects: Subjects
  readonly mailboxStream: MemoryStream
  readonly eventStream: MemoryStream
  readonly effectStream: MemoryStream
  readonly effects: MemoryEffectQueue
  readonly #mailboxes: MemoryMailboxes
  readonly #subscribers = new Set<(message: PlainMessage) => void>()
  #clients = 0

  constructor(options: MemoryBrokerOptions) {
    const { prefix, partitions, nowMs, schedule } = options
    this.options = options
    this.subjects = new Subjects(prefix, partitions)
    this.mailboxStream = new MemoryStream(nowMs)
    this.eventStream = new MemoryStream(nowMs)
    this.effectStream = new MemoryStream(nowMs)
    const streams = { mailbox: this.mailboxStream, effects: this.effectStream, events: this.eventStream }
    this.#mailboxes = new MemoryMailboxes(streams, this.subjects, schedule)
    this.effects = new MemoryEffectQueue(this.effectStream, this.subjects, schedule)
  }

  /** What a process of its own would have: closing it leaves the others alone. */
  connect(): Broker {
    const client = new MemoryClient(this, `_INBOX.${++this.#clients}`)
    const effects = this.effects.connect()
    return {
      mailboxes: this.#mailboxes,
      publisher: client,
      requests: client,
      effects,
      get isConnected() {
        return client.isConnected
      },
      async close() {
        client.close()
        await effects.close()
      },
    }
  }

  /** Stores a message, as whoever publishes it. Nothing when its stream is full, or there is none for it. */
  publish(message: {
    subject: string
    headers: Headers
    body: string | Uint8Array
  }): { duplicate: boolean } | undefined {
    const { headers, body } = message
    const subject = this.#map(message.subject)
    this.tell({ subject, headers, body: body.toString() })
    return this.#streamOf(subject)?.append(subject, headers, Buffer.from(body))
  }

  /** Hands a message to the plain subscribers, and stores nothing. */
  tell(message: PlainMessage): void {
    this.options.schedule(0, () => {
      for (const subscriber of this.#subscribers) subscriber(message)
    })
  }

  /** Like a subscription to everything. @returns what ends it */
  subscribe(subscriber: (message: PlainMessage) => void): () => void {
    this.#subscribers.add(subscriber)
    return () => this.#subscribers.delete(subscriber)
  }

  #streamOf(subject: string): MemoryStream | undefined {
    const streams = { mbx: this.mailboxStream, evt: this.eventStream, fx: this.effectStream }
    return streams[subject.split('.')[1] as keyof typeof streams]
  }

  /** Where the server would put what a client publishes as a command. */
  #map(subject: string): string {
    const [prefix, room, kind, id, type, ...more] = subject.split('.')
    if (room !== 'cmd' || id === undefined || type === undefined || more.length > 0) return subject
    return [prefix, 'mbx', partitionOf(id, this.options.partitions), kind, id, type].join('.')
  }
}

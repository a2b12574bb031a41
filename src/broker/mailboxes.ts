import { AckPolicy, DeliverPolicy, type JetStreamManager } from '@nats-io/jetstream'
import { nanos } from '@nats-io/transport-node'
import type { Mailbox, MailboxEvents, Mailboxes, StreamState, StreamStates } from '../engine/ports.ts'
import type { Connection } from './connection.ts'
import { Reading } from './reading.ts'
import { isNotFound, type Streams } from './streams.ts'
import type { Subjects } from './subjects.ts'
import type { Ticker } from './ticker.ts'

/** Nothing is ever to be delivered again: what is missing is read from the cursor, by a consumer of its own. */
const ackWaitMs = 30 * 60_000
/** A consumer whose process died without deleting it goes after this. */
const inactiveMs = 5 * 60_000

/**
 * The mailboxes on JetStream. Each reading has a consumer of its own that starts behind the cursor; the epoch in its name
 * lets the next owner delete it. It is kept in memory, by one server: the cursor is in the store, and a consumer that is
 * lost costs a new one.
 */
export class NatsMailboxes implements Mailboxes {
  readonly #connection: Connection
  readonly #manager: JetStreamManager
  readonly #streams: Streams
  readonly #subjects: Subjects
  readonly #readings = new Set<Reading>()
  readonly #offerListeners = new Set<() => void>()

  constructor(connection: Connection, manager: JetStreamManager, streams: Streams, subjects: Subjects, ticker: Ticker) {
    this.#connection = connection
    this.#manager = manager
    this.#streams = streams
    this.#subjects = subjects
    ticker.add((nowMs) => this.#each((reading) => reading.tick(nowMs)))
    connection.on('reconnected', () => this.#each((reading) => reading.connectionLost()))
    connection.subscribe(subjects.offers, () => {
      for (const listener of this.#offerListeners) listener()
    })
  }

  streams(): Promise<StreamStates> {
    return this.#connection.whileConnected(() => this.#streams.states())
  }

  async open(partition: number, epoch: number, cursor: number, events: MailboxEvents): Promise<Mailbox> {
    this.#connection.check()
    const consumer = consumerName(partition, epoch)
    await Promise.all([this.#delete(consumer), this.#delete(consumerName(partition, epoch - 1))])
    const pending = await this.#createConsumer(consumer, partition, cursor)
    // Asked for last: the stream could have been made anew until just now.
    const stream = await this.#state()
    const reading = new Reading({
      connection: this.#connection,
      subjects: this.#subjects,
      partition,
      consumer,
      stream,
      cursor,
      pending,
      events,
      release: () => this.#delete(consumer),
    })
    this.#readings.add(reading)
    return reading
  }

  async firstBehind(partition: number, cursor: number): Promise<number | undefined> {
    const { mailboxStream } = this.#subjects
    const query = { seq: cursor + 1, next_by_subj: this.#subjects.mailboxOf(partition) }
    const look = () => this.#manager.streams.getMessage(mailboxStream, query)
    return (await this.#connection.whileConnected(look))?.seq
  }

  /**
   * A purge beyond the end would take what comes meanwhile, and a server of 2.9 that is left with a stream without messages numbers
   * them from 1 again when it is restarted.
   */
  async purge(sequence: number): Promise<void> {
    const { mailboxStream, allMailboxes } = this.#subjects
    const streams = this.#manager.streams
    const lookLast = () => streams.getMessage(mailboxStream, { last_by_subj: allMailboxes })
    const last = await this.#connection.whileConnected(lookLast)
    const seq = Math.min(sequence, last?.seq ?? 0)
    // To the server a purge before 1 is one of everything.
    if (seq > 1) await this.#connection.whileConnected(() => streams.purge(mailboxStream, { seq }))
  }

  offer(): void {
    this.#connection.tell(this.#subjects.offers, '')
  }

  onOffer(listener: () => void): () => void {
    this.#offerListeners.add(listener)
    return () => void this.#offerListeners.delete(listener)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#readings].map((reading) => reading.close()))
    this.#readings.clear()
  }

  #state(): Promise<StreamState> {
    return this.#connection.whileConnected(() => this.#streams.mailboxState())
  }

  /** @returns how many messages lie behind the cursor */
  async #createConsumer(name: string, partition: number, cursor: number): Promise<number> {
    const config = {
      name,
      filter_subject: this.#subjects.mailboxOf(partition),
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: cursor + 1,
      ack_policy: AckPolicy.All,
      max_ack_pending: -1,
      ack_wait: nanos(ackWaitMs),
      inactive_threshold: nanos(inactiveMs),
      mem_storage: true,
      num_replicas: 1,
    }
    try {
      const { mailboxStream } = this.#subjects
      const create = () => this.#manager.consumers.add(mailboxStream, config)
      return (await this.#connection.whileConnected(create)).num_pending
    } catch (error) {
      // Without a stream there will be no consumer at the next attempt either.
      if (isNotFound(error)) await this.#state()
      throw error
    }
  }

  #each(action: (reading: Reading) => void): void {
    for (const reading of this.#readings) {
      action(reading)
      if (reading.isClosed) this.#readings.delete(reading)
    }
  }

  /** A consumer that cannot be deleted is gone already, or goes by itself. */
  async #delete(consumer: string): Promise<void> {
    const { mailboxStream } = this.#subjects
    const remove = () => this.#manager.consumers.delete(mailboxStream, consumer)
    await this.#connection.whileConnected(remove).catch(() => undefined)
  }
}

const consumerName = (partition: number, epoch: number): string => `w${partition}-${epoch}`

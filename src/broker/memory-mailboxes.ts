import type {
  Delivery,
  Mailbox,
  MailboxEvents,
  Mailboxes,
  StreamName,
  StreamState,
  StreamStates,
} from '../engine/ports.ts'
import { TurnstileError } from '../errors.ts'
import type { MemoryStream } from './memory-stream.ts'
import type { Subjects } from './subjects.ts'
import { decodeDelivery } from './wire.ts'

const maxMessages = 512

export type Schedule = (delayMs: number, task: () => void) => void

/** The mailboxes in memory. All processes share one of these. */
export class MemoryMailboxes implements Mailboxes {
  readonly #streams: Record<StreamName, MemoryStream>
  readonly #stream: MemoryStream
  readonly #subjects: Subjects
  readonly #schedule: Schedule
  readonly #readings = new Set<MemoryReading>()
  readonly #offerListeners = new Set<() => void>()

  constructor(streams: Record<StreamName, MemoryStream>, subjects: Subjects, schedule: Schedule) {
    this.#streams = streams
    this.#stream = streams.mailbox
    this.#subjects = subjects
    this.#schedule = schedule
    // As after the restart of a server.
    this.#stream.onLoss(() => {
      for (const reading of this.#readings) reading.lose(`partition ${reading.partition} has lost its stream`)
    })
    this.#stream.onAppend((lane) => {
      for (const reading of this.#readings) if (reading.lane === lane) reading.fill()
    })
  }

  async streams(): Promise<StreamStates> {
    const { mailbox, effects, events } = this.#streams
    return { mailbox: mailbox.state, effects: effects.state, events: events.state }
  }

  open(partition: number, epoch: number, cursor: number, events: MailboxEvents): Promise<Mailbox> {
    return new Promise((resolve) => {
      this.#schedule(0, () => {
        for (const other of this.#readings) {
          if (other.partition === partition && other.epoch <= epoch)
            other.lose(`partition ${partition} has another reader`)
        }
        const forget = (closed: MemoryReading) => this.#readings.delete(closed)
        const place = { partition, epoch, cursor }
        const reading = new MemoryReading(this.#stream, this.#subjects, this.#schedule, place, events, forget)
        this.#readings.add(reading)
        reading.fill()
        resolve(reading)
      })
    })
  }

  async firstBehind(partition: number, cursor: number): Promise<number | undefined> {
    return this.#stream.after(String(partition), cursor, 1).messages[0]?.sequence
  }

  async purge(sequence: number): Promise<void> {
    this.#stream.purge(sequence)
  }

  offer(): void {
    this.#schedule(0, () => {
      for (const listener of this.#offerListeners) listener()
    })
  }

  onOffer(listener: () => void): () => void {
    this.#offerListeners.add(listener)
    return () => void this.#offerListeners.delete(listener)
  }
}

class MemoryReading implements Mailbox {
  readonly partition: number
  readonly epoch: number
  readonly lane: string
  readonly stream: StreamState
  readonly #stream: MemoryStream
  readonly #subjects: Subjects
  readonly #schedule: Schedule
  readonly #events: MailboxEvents
  readonly #forget: (closed: MemoryReading) => void
  #buffer: Delivery[] = []
  #sequence: number
  #left = 0
  #isFilling = false
  #isClosed = false

  constructor(
    stream: MemoryStream,
    subjects: Subjects,
    schedule: Schedule,
    place: { partition: number; epoch: number; cursor: number },
    events: MailboxEvents,
    forget: (closed: MemoryReading) => void,
  ) {
    this.#stream = stream
    this.#subjects = subjects
    this.#schedule = schedule
    this.partition = place.partition
    this.epoch = place.epoch
    this.lane = String(place.partition)
    this.#sequence = place.cursor
    this.stream = stream.state
    this.#events = events
    this.#forget = forget
    this.#left = stream.after(this.lane, place.cursor, 0).left
  }

  get waiting(): number {
    return this.#buffer.length
  }

  get lag(): number {
    return this.#left
  }

  get oldestAt(): number | undefined {
    return this.#buffer[0]?.at
  }

  take(max: number): Delivery[] {
    const deliveries = this.#buffer.splice(0, max)
    if (deliveries.length > 0) this.fill()
    return deliveries
  }

  /** The store has the cursor. */
  acknowledge(): void {}

  async close(): Promise<void> {
    this.#isClosed = true
    this.#buffer = []
    this.#forget(this)
  }

  lose(why: string): void {
    void this.close()
    this.#schedule(0, () => this.#events.lost(new TurnstileError('mailbox-lost', why)))
  }

  fill(): void {
    if (this.#isFilling) return
    this.#isFilling = true
    this.#schedule(0, () => {
      this.#isFilling = false
      if (!this.#isClosed) this.#receive()
    })
  }

  #receive(): void {
    const { messages, left } = this.#stream.after(this.lane, this.#sequence, maxMessages - this.#buffer.length)
    if (messages.length === 0) return
    const wasEmpty = this.#buffer.length === 0
    for (const message of messages) {
      this.#buffer.push(decodeDelivery(this.#subjects, this.partition, this.stream.id, message))
      this.#sequence = message.sequence
    }
    this.#left = left
    if (wasEmpty) this.#events.ready()
  }
}

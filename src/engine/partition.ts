import type { Address, Delivery, Mailbox, MailboxStanding, PartitionRow, StreamState } from './ports.ts'

/**
 * A partition that this worker owns, and how far it is. Everything moves in this order, each number at or behind the one
 * before it:
 *
 *     taken      the last delivery that left the mailbox
 *     cursor     the last one that was decided              ┐ run ahead of the store while commits are under way,
 *     head       the journal's position that this makes     ┘ and fall back when one fails
 *     committed  cursor and head as the store has them
 *     published  the position up to which the broker has stored all that the turns tell
 */
export class OwnedPartition {
  readonly id: number
  readonly epoch: number
  readonly stream: string
  taken: number
  cursor: number
  head: number
  committed: { cursor: number; head: number }
  published: number
  /** How many of its actors have an alarm set, by what is committed. */
  armed: number
  /** What `published` is in the store. */
  savedPublished: number
  /** None while it is being opened. */
  mailbox: Mailbox | undefined
  /** Taken from the mailbox, and to be decided again because their commit failed. Before anything new. */
  redo: Delivery[] = []
  /** Handed over by this process itself, past the broker. */
  handed: Delivery[] = []
  /** On its way out: finishes what is under way, takes nothing new. */
  isLeaving = false
  /** Gone: another worker's, or replaced by a fresh reading of the store. Whatever still points here has no effect. */
  isClosed = false
  /** The greatest id of each kind that an actor here may have. It says nothing until those in the store have been seen. */
  readonly #lastIds = new Map<string, string>()
  #isSurveyed = false

  constructor(row: PartitionRow) {
    this.id = row.id
    this.epoch = row.epoch
    this.stream = row.stream
    this.taken = row.cursor
    this.cursor = row.cursor
    this.head = row.head
    this.committed = { cursor: row.cursor, head: row.head }
    this.published = row.published
    this.savedPublished = row.published
    this.armed = row.armed
  }

  /** Takes note of an actor that may exist from now on. */
  noteActor({ kind, id }: Address): void {
    if (id > (this.#lastIds.get(kind) ?? '')) this.#lastIds.set(kind, id)
  }

  /** All that the store had when the partition was taken up, or later, have been noted. */
  noteSurvey(): void {
    this.#isSurveyed = true
  }

  /**
   * Whether this actor cannot exist: its id lies beyond all that do. Nobody else makes actors here, and new ids of ours begin
   * with the time. False says nothing.
   */
  isNew({ kind, id }: Address): boolean {
    return this.#isSurveyed && id > (this.#lastIds.get(kind) ?? '')
  }

  /** Whether what was read from the stream means anything in this state of it. */
  canReadOnIn(stream: StreamState): boolean {
    return stream.id === this.stream && stream.lastSequence >= this.taken
  }

  get waiting(): number {
    return this.redo.length + this.handed.length + (this.mailbox?.waiting ?? 0)
  }

  /** Messages that nobody has decided yet, here and in the broker. */
  get lag(): number {
    return this.waiting + (this.mailbox?.lag ?? 0)
  }

  get standing(): MailboxStanding {
    const firsts = [this.redo[0]?.at, this.handed[0]?.at, this.mailbox?.oldestAt].filter((at) => at !== undefined)
    const oldestAt = firsts.length > 0 ? Math.min(...firsts) : undefined
    return { partition: this.id, lag: this.lag, oldestAt, isOpen: this.mailbox !== undefined }
  }

  take(max: number): Delivery[] {
    if (this.isLeaving || max <= 0) return []
    if (this.redo.length > 0) return this.redo.splice(0, max)
    // Half of it, so that neither way holds up the other.
    const handed = this.handed.splice(0, Math.ceil(max / 2))
    const deliveries = this.mailbox?.take(max - handed.length) ?? []
    this.taken = deliveries.at(-1)?.sequence ?? this.taken
    return handed.length > 0 ? [...handed, ...deliveries] : deliveries
  }

  /** What was decided and not committed never happened. */
  rollBack(): void {
    this.cursor = this.committed.cursor
    this.head = this.committed.head
  }

  close(): void {
    this.isClosed = true
    for (const delivery of [...this.redo.splice(0), ...this.handed.splice(0)]) delivery.giveBack?.()
    void this.mailbox?.close()
    this.mailbox = undefined
  }
}

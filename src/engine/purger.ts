import type { Clock, Mailboxes, PartitionRow, Store, StreamState } from './ports.ts'
import type { StreamWatch } from './stream-watch.ts'

type Ports = {
  store: Pick<Store, 'readPartitions'>
  mailboxes: Pick<Mailboxes, 'firstBehind' | 'purge'>
  clock: Pick<Clock, 'monotonicMs'>
}

/** Some 85 MB of a mailbox stream of 1 GiB, and up to 150 MB of nats-server’s memory. */
const pieceMessages = 250_000

/**
 * Has the broker forget what all partitions have passed, in large pieces. nats-server keeps messages in files of 8 MiB. It drops a
 * whole file at once, but goes through the one that the piece ends in message by message, and before 2.10 looks for each through
 * those behind it: up to 250 µs a message, in which nothing can be stored.
 *
 * A partition that gets no messages keeps the cursor of its last one, and would hold up all others. So the broker is asked which
 * message comes next in each: if there is none, the partition has passed all that the stream held just before.
 */
export class Purger {
  readonly #streams: Pick<StreamWatch, 'look'>
  readonly #longestMs: number
  readonly #ports: Ports
  /** Up to where each partition had nothing to decide, so that no message is looked at twice. */
  readonly #passed = new Map<number, { epoch: number; sequence: number }>()
  #purged = 0
  #purgedAtMs: number

  /** @param longestMs after this it is done however small the piece is */
  constructor(streams: Pick<StreamWatch, 'look'>, longestMs: number, ports: Ports) {
    this.#streams = streams
    this.#longestMs = longestMs
    this.#ports = ports
    this.#purgedAtMs = ports.clock.monotonicMs()
  }

  /** @param partitions all there are, whoever owns them */
  async purge(partitions: number[]): Promise<void> {
    const { store, mailboxes, clock } = this.#ports
    // In this order: a loss is found by the look, which sets the cursors back; and what comes after it is not counted as passed.
    const { mailbox: stream } = await this.#streams.look()
    if (!this.#isDue(stream.lastSequence)) return
    const rows = await store.readPartitions(partitions)
    const passed = Math.min(...(await Promise.all(rows.map((row) => this.#passedBy(row, stream)))))
    if (passed === this.#purged || !this.#isDue(passed)) return
    await mailboxes.purge(passed)
    this.#purged = passed
    this.#purgedAtMs = clock.monotonicMs()
  }

  #isDue(sequence: number): boolean {
    const waitedMs = this.#ports.clock.monotonicMs() - this.#purgedAtMs
    return sequence - this.#purged >= pieceMessages || waitedMs >= this.#longestMs
  }

  async #passedBy(row: PartitionRow, stream: StreamState): Promise<number> {
    const { id, epoch } = row
    // In another life of the stream the partition is read from its beginning.
    const cursor = row.stream === stream.id ? row.cursor : 0
    const before = this.#passed.get(id)
    const from = before?.epoch === epoch ? Math.max(cursor, before.sequence) : cursor
    const next = await this.#ports.mailboxes.firstBehind(id, from)
    const sequence = Math.min(next === undefined ? stream.lastSequence : next - 1, stream.lastSequence)
    this.#passed.set(id, { epoch, sequence })
    return sequence
  }
}

import type { Deadlines } from '../actor/actor.ts'
import { crashPoint } from '../crash-points.ts'
import { Alarms } from './alarms.ts'
import type { AtOnce } from './at-once.ts'
import { type Batch, emptyBatch, putBack, toCommit } from './batch.ts'
import { ActorCache } from './cache.ts'
import { decideBatch, type Surroundings } from './decide.ts'
import { Outbox } from './outbox.ts'
import { Pace } from './pace.ts'
import type { Actors } from './parse.ts'
import { OwnedPartition } from './partition.ts'
import { Pauses } from './pauses.ts'
import type {
  Clock,
  Commit,
  CommitResult,
  Delivery,
  DueAlarm,
  Log,
  Mailboxes,
  Observer,
  PartitionRow,
  Publisher,
  Store,
} from './ports.ts'
import { Signal } from './signal.ts'
import { StreamWatch } from './stream-watch.ts'
import { survey } from './survey.ts'
import { Suspects } from './suspects.ts'
import type { Tracer } from './trace-ports.ts'

export type EnginePorts = {
  store: Store
  mailboxes: Mailboxes
  publisher: Publisher
  atOnce: Pick<AtOnce, 'take'>
  clock: Clock
  log: Log
  observer: Observer
  tracer: Pick<Tracer, 'turn' | 'commit' | 'turnsAgain' | 'deadLetter'>
}

export type EngineLimits = {
  partitions: number
  batchMessages: number
  cachedActors: number
  deadlines: Deadlines
  /** How long the broker keeps public events. */
  eventsKeptMs: number
}

/** Commits under way at once. One hides the round trip, two the other's work; more only adds latency to failures. */
const maxCommits = 3
/** With more than this untold, the engine waits for the broker instead of deciding more. */
const maxUntoldMessages = 20_000
const retryMs = 250
/** The part of a batch that alarms may have. */
const alarmShare = 1 / 4

type Failure = { batch: Batch; result: Exclude<CommitResult, { outcome: 'committed' }> }

/**
 * The mailbox engine: takes what waits, decides it, commits it in one statement, tells it.
 *
 *     take ──▶ decide ──▶ commit ──▶ settle ──▶ tell
 *                            └─failure─▶ recover: roll back, find out, decide again
 *
 * Batches lie a few milliseconds apart, for more to gather. While one commits the next ones are decided on top of it. When a
 * commit fails, it and all that relied on it never happened: their deliveries go back in front of their mailboxes and are decided
 * again, from what the store says.
 */
export class Engine {
  readonly #worker: string
  readonly #ports: EnginePorts
  readonly #limits: EngineLimits
  readonly #around: Surroundings
  readonly #cache: ActorCache
  readonly #outbox: Outbox
  readonly #owned = new Map<number, OwnedPartition>()
  /** Messages whose turns are being committed. */
  readonly #uncommitted = new Set<string>()
  readonly #suspects: Suspects
  readonly #alarms: Alarms
  readonly #pace: Pace
  /** What operators hold back. */
  readonly pauses: Pauses
  /** Whether the broker still has what it had. */
  readonly streams: StreamWatch
  /** Something happened that the loop may act on. */
  readonly #wake = new Signal()
  #commitsUnderWay = 0
  #failures: Failure[] = []
  #nextPartition = 0
  #isStopping = false
  #running: Promise<void> | undefined

  /** @param worker unique to this run of the process */
  constructor(worker: string, actors: Actors, limits: EngineLimits, ports: EnginePorts) {
    this.#worker = worker
    this.#ports = ports
    this.#limits = limits
    this.#cache = new ActorCache(limits.cachedActors)
    this.#outbox = new Outbox(ports, this.#wake)
    this.#suspects = new Suspects(ports)
    this.#alarms = new Alarms(ports, () => this.partitions, this.#wake)
    this.#pace = new Pace(ports.clock, this.#wake)
    this.pauses = new Pauses(ports)
    this.streams = new StreamWatch(ports, limits.eventsKeptMs)
    this.#around = {
      actors,
      cache: this.#cache,
      load: (addresses) => ports.store.load(addresses),
      partitionCount: limits.partitions,
      deadlines: limits.deadlines,
      owned: (partition) => this.#owned.get(partition),
      isRepeat: (key) => this.#uncommitted.has(key) || this.#suspects.isRepeat(key),
      noteTurn: (key) => this.#uncommitted.add(key),
      faultOf: (item) => this.#suspects.faultOf(item),
      pauseOf: (address) => this.pauses.of(address),
      tracer: ports.tracer,
    }
  }

  start(): void {
    this.#running = this.#run()
    this.#alarms.start()
  }

  /** Ends the loop. What is decided is committed; what is not stays in the mailboxes. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#alarms.stop()
    this.#wake.notify()
    await this.#running
    putBack(this.#failures.map(({ batch }) => batch))
    this.drop(this.partitions)
  }

  // ── Partitions come and go ────────────────────────────────────────────────────────────────────────────────────────

  get partitions(): OwnedPartition[] {
    return [...this.#owned.values()]
  }

  /** What is committed and not told yet. */
  get untold(): Pick<Outbox, 'pendingMessages' | 'oldestMs'> {
    return this.#outbox
  }

  /** Takes partitions up where the store says they stand: tells what may be untold, reads what comes after the cursor. */
  adopt(rows: PartitionRow[]): void {
    this.drop(rows.flatMap(({ id }) => this.#owned.get(id) ?? []))
    const partitions = rows.map((row) => new OwnedPartition(row))
    for (const partition of partitions) {
      this.#owned.set(partition.id, partition)
      this.#outbox.tellAgain(partition)
      void this.#read(partition)
    }
    void this.#untilItWorks(() => survey(partitions, Object.keys(this.#around.actors), this.#ports.store))
  }

  /** Lets go of a partition in good order: resolves once nothing of it is under way and all of it is told, or in time. */
  async finish(partition: OwnedPartition, withinMs: number): Promise<void> {
    const { clock } = this.#ports
    const deadline = clock.monotonicMs() + withinMs
    partition.isLeaving = true
    this.#wake.notify()
    while (!partition.isClosed && !this.#isQuiet(partition) && clock.monotonicMs() < deadline) await clock.sleep(5)
    this.drop([partition])
  }

  /** Forgets partitions at once. Whatever of them is still under way will be fenced. */
  drop(partitions: OwnedPartition[]): void {
    for (const partition of partitions) {
      partition.close()
      if (this.#owned.get(partition.id) === partition) this.#owned.delete(partition.id)
    }
  }

  /** Takes a command past the broker. @returns false when it cannot: its partition is another worker's, or on its way there */
  handOver(delivery: Delivery): boolean {
    const partition = this.#owned.get(delivery.partition)
    if (!partition || partition.isLeaving || this.#isStopping) return false
    partition.handed.push(delivery)
    this.#wake.notify()
    return true
  }

  #isQuiet(partition: OwnedPartition): boolean {
    const isCommitted = partition.committed.head === partition.head && partition.committed.cursor === partition.cursor
    return isCommitted && this.#outbox.isDoneFor(partition)
  }

  /** Reads the mailbox behind what was taken from it, and again whenever the reading breaks, until the partition goes. */
  async #read(partition: OwnedPartition): Promise<void> {
    const { mailboxes, clock, log } = this.#ports
    for (let isFirst = true; !partition.isClosed; isFirst = false) {
      try {
        // Before anything is read or told again: what is new may soon hide what is lost.
        if (!isFirst) await this.streams.look()
        let broke: (cause: Error) => void = () => {}
        const breaking = new Promise<Error>((resolve) => (broke = resolve))
        const events = { ready: () => this.#wake.notify(), lost: broke }
        const mailbox = await mailboxes.open(partition.id, partition.epoch, partition.taken, events)
        // The lease keeper takes the partition up again, from the stream's beginning. Dedupe does the rest.
        if (!partition.canReadOnIn(mailbox.stream)) this.drop([partition])
        if (partition.isClosed) return await mailbox.close()
        partition.mailbox = mailbox
        this.#wake.notify()
        const openedMs = clock.monotonicMs()
        const cause = await breaking
        partition.mailbox = undefined
        log.debug({ partition: partition.id, err: cause }, 'the reading of a mailbox broke, opening it again')
        if (clock.monotonicMs() - openedMs < retryMs) await clock.sleep(retryMs)
      } catch (error) {
        log.debug({ partition: partition.id, err: error }, 'a mailbox cannot be opened yet')
        await clock.sleep(retryMs)
      }
    }
  }

  // ── The loop ──────────────────────────────────────────────────────────────────────────────────────────────────────

  async #run(): Promise<void> {
    while (!(this.#isStopping && this.#commitsUnderWay === 0)) {
      if (this.#failures.length > 0) {
        await this.#recover()
        continue
      }
      const batch = this.#isBusy() ? undefined : this.#take()
      if (batch) await this.#decide(batch)
      else await this.#wake.wait()
    }
  }

  #isBusy(): boolean {
    const isTelling = this.#outbox.pendingMessages > maxUntoldMessages
    return this.#isStopping || this.#pace.isResting || this.#commitsUnderWay >= maxCommits || isTelling
  }

  /**
   * Whatever waits, up to the limit; another partition is the first each time. Alarms get a part of it, so that a day's worth
   * that is due at once holds up nobody.
   */
  #take(): Batch | undefined {
    const max = this.#suspects.limit(this.#limits.batchMessages)
    const alarms = this.#takeAlarms(Math.ceil(max * alarmShare))
    const partitions = this.partitions
    const deliveries: Delivery[] = []
    for (let i = 0; i < partitions.length && alarms.length + deliveries.length < max; i++) {
      const partition = partitions[(this.#nextPartition + i) % partitions.length]
      deliveries.push(...(partition?.take(max - alarms.length - deliveries.length) ?? []))
    }
    this.#nextPartition += 1
    const items = alarms.length + deliveries.length
    this.#suspects.noteTaken(items)
    this.#pace.noteTaken(items, max)
    return items > 0 ? emptyBatch(deliveries, alarms) : undefined
  }

  #takeAlarms(max: number): DueAlarm[] {
    const taken = this.#alarms.take(max)
    const isOurs = ({ partition }: DueAlarm): boolean => this.#owned.get(partition)?.isLeaving === false
    this.#alarms.release(taken.filter((alarm) => !isOurs(alarm)))
    return taken.filter(isOurs)
  }

  async #decide(batch: Batch): Promise<void> {
    try {
      await decideBatch(this.#around, batch)
    } catch (error) {
      // Nothing of it was sent to the store: like what another failed commit takes along.
      this.#ports.log.debug({ err: error }, 'actors cannot be loaded')
      this.#failures.push({ batch, result: { outcome: 'fenced', partitions: [] } })
      return
    }
    // A commit that failed while actors were loaded takes this batch, which may rely on it, along.
    if (this.#failures.length > 0) this.#failures.push({ batch, result: { outcome: 'fenced', partitions: [] } })
    else if (batch.partitions.size > 0) void this.#commit(batch)
    else this.#letGo(batch)
  }

  async #commit(batch: Batch): Promise<void> {
    const { store, clock, observer, tracer } = this.#ports
    const startedMs = clock.monotonicMs()
    const commit = toCommit(batch)
    const span = tracer.commit([...batch.spans.values()], batch.turns.length)
    this.#commitsUnderWay += 1
    crashPoint('before-commit')
    const result = await store.commit(commit)
    this.#commitsUnderWay -= 1
    if (result.outcome === 'committed') {
      crashPoint('after-commit')
      observer.committed(commit, batch.deliveries.length, clock.monotonicMs() - startedMs)
      span?.end()
      this.#settle(batch, commit)
    } else {
      this.#failures.push({ batch, result })
    }
    this.#wake.notify()
  }

  /** It is on record: now the world may know. */
  #settle(batch: Batch, commit: Commit): void {
    const { publisher, observer, tracer, log } = this.#ports
    const upTo: [OwnedPartition, number][] = []
    for (const [index, partition] of [...batch.partitions.keys()].entries()) {
      const { cursor, head, turns, published, armed } = commit.partitions[index] as Commit['partitions'][number]
      partition.committed = { cursor, head: head + turns }
      partition.savedPublished = published
      partition.armed += armed
      partition.mailbox?.acknowledge(cursor)
      if (turns > 0) upTo.push([partition, head + turns])
    }
    this.#letGo(batch)
    this.#forget(batch)
    this.#suspects.noteCommitted(batch)
    observer.alarmsFired(batch.alarms.length)

    for (const { kind, actorId, messageId, message, meta, version, decision } of batch.turns) {
      const { correlationId, traceparent } = meta
      const actor = `${kind}.${actorId}`
      const { outcome } = decision
      log.debug({ correlationId, traceparent, actor, messageId, type: message.type, version, outcome }, 'turn')
    }
    for (const [turn, span] of batch.spans) span.end(turn)
    for (const delivery of batch.deliveries) delivery.committed?.()
    this.#outbox.tell(batch.turns, upTo)
    for (const letter of batch.deadLetters) {
      const { kind, actorId, type, code, cause, messageId, meta } = letter
      const { correlationId, traceparent } = meta
      const actor = `${kind}.${actorId}`
      log.error({ correlationId, traceparent, actor, messageId, type, code, cause }, 'dead letter')
      tracer.deadLetter(letter)
      publisher.announce(letter)
      observer.deadLetter(kind, code)
      const reply = { refused: 'dead-letter', reason: `${type} was set aside as a dead letter: ${cause}` }
      if (meta.replyTo && meta.requestId) publisher.reply(meta.replyTo, { requestId: meta.requestId, reply })
    }
    for (const { letter } of batch.setAside) {
      const { kind, actorId, type, messageId, meta } = letter
      log.debug(
        { correlationId: meta.correlationId, actor: `${kind}.${actorId}`, messageId, type },
        'set aside: paused',
      )
      const reply = {
        refused: 'paused',
        reason: `${kind} ${actorId} is paused: ${type} is kept, and is carried out when that ends`,
      }
      if (meta.replyTo && meta.requestId) publisher.reply(meta.replyTo, { requestId: meta.requestId, reply })
    }
    observer.duplicates(batch.repeats.length)
    void this.#outbox.answerAgain(batch.repeats)
  }

  /** Nothing relies on its actors any more, and its alarms may go off again. */
  #letGo(batch: Batch): void {
    for (const actor of batch.actors.values()) actor.pins -= 1
    this.#alarms.release(batch.alarms)
  }

  #forget(batch: Batch): void {
    for (const key of batch.messageKeys) this.#uncommitted.delete(key)
  }

  // ── When a commit fails ───────────────────────────────────────────────────────────────────────────────────────────

  /** Waits for all that is under way, undoes what failed, asks the store how things stand, and puts the rest back. */
  async #recover(): Promise<void> {
    while (this.#commitsUnderWay > 0) await this.#wake.wait()
    const failures = this.#failures
    this.#failures = []
    for (const { batch } of failures) this.#rollBack(batch)
    putBack(failures.map(({ batch }) => batch))
    const unknown = failures.find(({ result }) => result.outcome === 'unknown')
    await this.#untilItWorks(() => (unknown ? this.#takeAgain() : this.#compareWithStore()))
    for (const { batch, result } of failures) {
      if (result.outcome === 'resumed') this.pauses.lift(result.pauses)
      if (result.outcome === 'duplicate') await this.#untilItWorks(() => this.#suspects.learnRepeats(batch))
      if (result.outcome === 'rejected') await this.#suspects.narrowDown(batch, result.error)
      if (result.outcome === 'unknown') await this.#suspects.slowDown(batch, result.error)
    }
  }

  #rollBack(batch: Batch): void {
    this.#cache.drop(batch.actors.values())
    this.#letGo(batch)
    this.#forget(batch)
    for (const partition of batch.partitions.keys()) partition.rollBack()
  }

  /**
   * Nobody knows what went in, nor whether something may yet go in: a backend can outlive its connection. Raising our own
   * epochs puts an end to that, and the rows then tell how far the journal is. From there as a new owner would.
   */
  async #takeAgain(): Promise<void> {
    const { partitions } = this
    const [first] = partitions
    if (!first) return
    const stream = { id: first.stream, lastSequence: Number.MAX_SAFE_INTEGER }
    const ids = partitions.map(({ id }) => id)
    const rows = await this.#ports.store.claim(this.#worker, ids, stream)
    const ours = new Set(rows.map(({ id }) => id))
    this.lose(partitions.filter(({ id }) => !ours.has(id)))
    // One that was leaving has left by this.
    const leaving = partitions.filter(({ isLeaving }) => isLeaving)
    this.drop(leaving)
    this.adopt(rows.filter(({ id }) => !leaving.some((partition) => partition.id === id)))
  }

  /** Nothing of it went in. What is still ours is decided again. */
  async #compareWithStore(): Promise<void> {
    const { partitions } = this
    const rows = await this.#ports.store.readPartitions(partitions.map(({ id }) => id))
    const epochs = new Map(rows.map(({ id, epoch }) => [id, epoch]))
    this.lose(partitions.filter(({ id, epoch }) => epochs.get(id) !== epoch))
  }

  /** Another worker has raised the epoch: what this one decided for them since is void. */
  lose(partitions: OwnedPartition[]): void {
    const lost = partitions.filter(({ isClosed }) => !isClosed)
    if (lost.length === 0) return
    const ids = lost.map(({ id }) => id)
    this.#ports.log.warn({ partitions: ids }, 'fenced: another worker owns these partitions now; nothing was written')
    this.#ports.observer.fenced(lost.length)
    this.drop(lost)
  }

  async #untilItWorks(action: () => Promise<void>): Promise<void> {
    while (!this.#isStopping) {
      try {
        return await action()
      } catch (error) {
        this.#ports.log.debug({ err: error }, 'the database does not answer, trying again')
        await this.#ports.clock.sleep(retryMs)
      }
    }
  }
}

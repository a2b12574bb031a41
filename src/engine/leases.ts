import type { Engine } from './engine.ts'
import type { OwnedPartition } from './partition.ts'
import type { Clock, Cluster, Log, Mailboxes, Observer, PartitionRow, Store } from './ports.ts'
import { Purger } from './purger.ts'

export type LeaseTimes = {
  leaseMs: number
  /** Between two purges of the mailboxes, unless there is much to purge. */
  purgeMs: number
}
export type LeasePorts = { store: Store; mailboxes: Mailboxes; clock: Clock; log: Log; observer: Observer }

/** Beats per lease: so many may fail in a row before others take over. */
const beatsPerLease = 5
/** Beats between two looks at the streams. */
const beatsPerLook = 10
/** A partition that is given up may finish what is under way for so long; then it goes as it is, which is safe too. */
const finishMs = 2_000

/**
 * Keeps this worker's fair share of the partitions. Each beat renews its one lease, on which all its partitions hang, and
 * compares: more than its share, it gives some up; less, it takes free ones. Only the difference moves. What is given up is
 * offered to the others, whose next beat then comes at once.
 */
export class LeaseKeeper {
  readonly #worker: string
  readonly #leaseMs: number
  readonly #engine: Engine
  readonly #ports: LeasePorts
  readonly #purger: Purger
  #isStopping = false
  /** Ends the wait for the next beat. */
  #nap = new AbortController()
  /** Being given up: still ours in the store, no longer for the engine to take. */
  readonly #leaving = new Set<number>()
  /** What is being seen to beside the beat. */
  readonly #errands = new Set<string>()
  #isReachable = true
  #beats = 0
  #running: Promise<void> | undefined

  /** @param worker unique to this run of the process, so that a restarted one is not taken for its predecessor */
  constructor(worker: string, { leaseMs, purgeMs }: LeaseTimes, engine: Engine, ports: LeasePorts) {
    this.#worker = worker
    this.#leaseMs = leaseMs
    this.#engine = engine
    this.#ports = ports
    this.#purger = new Purger(engine.streams, purgeMs, ports)
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Gives everything up in good order, for others to take at once, and leaves. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#nap.abort()
    await this.#running
    try {
      await this.#giveUp(this.#engine.partitions)
      await this.#ports.store.leave(this.#worker)
      // Only now is the share of the others larger.
      this.#ports.mailboxes.offer()
    } catch (error) {
      this.#ports.log.warn({ err: error }, 'left without saying so: others take over when the lease has run out')
    }
  }

  async #run(): Promise<void> {
    const { mailboxes, clock, log } = this.#ports
    const endOffers = mailboxes.onOffer(() => this.#nap.abort())
    while (!this.#isStopping) {
      this.#nap = new AbortController()
      try {
        await this.#beat()
        if (!this.#isReachable) log.info({}, 'the lease is renewed again')
        this.#isReachable = true
      } catch (error) {
        if (this.#isReachable) log.warn({ err: error }, 'the lease cannot be renewed, trying again')
        this.#isReachable = false
      }
      await clock.sleep(this.#leaseMs / beatsPerLease, this.#nap.signal)
    }
    endOffers()
  }

  async #beat(): Promise<void> {
    const { store, mailboxes } = this.#ports
    const lag = this.#report()
    const cluster = await store.heartbeat(this.#worker, this.#leaseMs, lag)
    this.#engine.pauses.heed(cluster.pauses)
    this.#dropLost(cluster)
    await this.#releaseOrphans(cluster)

    const mine = this.#engine.partitions.filter(({ isLeaving }) => !isLeaving)
    const missing = fairShare(cluster, this.#worker) - mine.length
    if (missing > 0) this.#send('take', () => this.#take(cluster, missing))
    if (missing < 0) {
      this.#send('give up', async () => {
        await this.#giveUp(mine.slice(missing))
        mailboxes.offer()
      })
    }
    await this.#saveProgress()
    this.#beats += 1
    if (this.#beats % beatsPerLook > 0) return
    this.#send('look at the streams', async () => void (await this.#engine.streams.look()))
    // One does so for all.
    if (cluster.workers[0] !== this.#worker) return
    this.#send('purge', () => this.#purger.purge(cluster.partitions.map(({ id }) => id)))
  }

  /** Before the store is asked: how things stand is to be seen while it does not answer. @returns the lag of all mailboxes */
  #report(): number {
    const { observer } = this.#ports
    const { partitions, untold } = this.#engine
    const standings = partitions.map(({ standing }) => standing)
    observer.mailboxes(standings)
    observer.untold(untold.pendingMessages, untold.oldestMs)
    return standings.reduce((sum, { lag }) => sum + lag, 0)
  }

  /** Sends somebody for what needs the broker or time: the next beat must not wait for it. One of each kind at a time. */
  #send(kind: string, errand: () => Promise<void>): void {
    if (this.#errands.has(kind)) return
    this.#errands.add(kind)
    const { log } = this.#ports
    errand()
      .catch((error) => log.debug({ err: error }, `the lease keeper could not ${kind}; it tries again`))
      .finally(() => this.#errands.delete(kind))
  }

  /** What another worker has taken, because our lease had run out. */
  #dropLost({ partitions }: Cluster): void {
    const epochs = new Map(partitions.map(({ id, epoch }) => [id, epoch]))
    this.#engine.lose(this.#engine.partitions.filter(({ id, epoch }) => (epochs.get(id) ?? 0) > epoch))
  }

  /** What the store says is ours, but the engine does not have: somebody must be able to take it. */
  async #releaseOrphans({ partitions }: Cluster): Promise<void> {
    // What is being taken is the store's before it is the engine's.
    if (this.#errands.has('take')) return
    const held = new Set(this.#engine.partitions.map(({ id }) => id))
    const orphans = partitions.filter(({ id, owner }) => {
      return owner === this.#worker && !held.has(id) && !this.#leaving.has(id)
    })
    if (orphans.length > 0)
      await this.#ports.store.release(orphans.map(({ id, epoch }) => ({ id, epoch, published: 0 })))
  }

  async #take(cluster: Cluster, count: number): Promise<void> {
    const free = cluster.partitions.filter(({ owner, ownerIsAlive }) => owner === null || !ownerIsAlive)
    if (free.length === 0) return
    // Each worker begins elsewhere, so that two of them seldom reach for the same one.
    const start = Math.floor((cluster.workers.indexOf(this.#worker) * free.length) / cluster.workers.length)
    const wanted = [...free.slice(start), ...free.slice(0, start)].slice(0, count).map(({ id }) => id)
    const { mailbox: stream } = await this.#engine.streams.look()
    if (this.#isStopping) return
    const rows: PartitionRow[] = await this.#ports.store.claim(this.#worker, wanted, stream)
    this.#engine.adopt(rows)
    const ids = rows.map(({ id }) => id)
    const expired = free.filter(({ id, owner }) => owner !== null && ids.includes(id)).length
    this.#ports.observer.took(ids.length - expired, expired)
    if (ids.length > 0) this.#ports.log.info({ partitions: ids, workers: cluster.workers.length }, 'took partitions')
  }

  async #giveUp(partitions: OwnedPartition[]): Promise<void> {
    if (partitions.length === 0) return
    for (const { id } of partitions) this.#leaving.add(id)
    try {
      await Promise.all(partitions.map((partition) => this.#engine.finish(partition, finishMs)))
      await this.#ports.store.release(partitions.map(({ id, epoch, published }) => ({ id, epoch, published })))
      this.#ports.log.info({ partitions: partitions.map(({ id }) => id) }, 'gave partitions up')
    } finally {
      for (const { id } of partitions) this.#leaving.delete(id)
    }
  }

  /** In quiet times no commit saves how far the outbox is. */
  async #saveProgress(): Promise<void> {
    const behind = this.#engine.partitions.filter(({ published, savedPublished }) => published > savedPublished)
    if (behind.length === 0) return
    const progress = behind.map(({ id, epoch, published }) => ({ id, epoch, published }))
    await this.#ports.store.saveProgress(progress)
    for (const [index, partition] of behind.entries()) partition.savedPublished = progress[index]?.published ?? 0
  }
}

/** All partitions, divided as evenly as can be; the first workers take the rest of the division. */
function fairShare(
  { workers, partitions }: Pick<Cluster, 'workers'> & { partitions: unknown[] },
  worker: string,
): number {
  const rank = workers.indexOf(worker)
  const rest = partitions.length % workers.length
  return Math.floor(partitions.length / workers.length) + (rank < rest ? 1 : 0)
}

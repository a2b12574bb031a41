import { keyOf } from './cache.ts'
import type { OwnedPartition } from './partition.ts'
import type { Clock, DueAlarm, Log, Observer, Store } from './ports.ts'
import type { Signal } from './signal.ts'

type Ports = {
  store: Pick<Store, 'dueAlarms'>
  clock: Clock
  log: Log
  observer: Pick<Observer, 'alarmsDue' | 'alarmsArmed'>
}

/** An alarm is late by this at the most, and by the time that its turn has to wait in a batch. */
const lookEveryMs = 100
/** So many are in hand at most: a day's worth that is due at once comes out of the index bit by bit, oldest first. */
const maxInHand = 500
/** Later than this is worth an operator's attention. */
const overdueMs = 1_000

/**
 * The alarms that have gone off and wait for their turn. They are looked up in the store, by its clock, ten times a second:
 * one index lookup for each partition finds those that are due, so nothing is kept in memory of those that are not, and a
 * partition that is taken over brings its alarms along without being read.
 */
export class Alarms {
  readonly #ports: Ports
  readonly #owned: () => OwnedPartition[]
  readonly #wake: Signal
  readonly #stopping = new AbortController()
  /** By actor, until they are committed: the store goes on naming them for so long. */
  readonly #inHand = new Map<string, DueAlarm>()
  #waiting: DueAlarm[] = []
  #running: Promise<void> | undefined

  /** @param wake notified when there is something to take */
  constructor(ports: Ports, owned: () => OwnedPartition[], wake: Signal) {
    this.#ports = ports
    this.#owned = owned
    this.#wake = wake
  }

  start(): void {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  take(max: number): DueAlarm[] {
    return this.#waiting.splice(0, max)
  }

  /** They had their turn, or are to be looked up again. */
  release(alarms: DueAlarm[]): void {
    for (const alarm of alarms) this.#inHand.delete(keyOf(alarm))
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#ports
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        await this.#look()
      } catch (error) {
        // The lease keeper reports that the database is away.
        log.debug({ err: error }, 'alarms cannot be looked up')
      }
      await clock.sleep(lookEveryMs, signal)
    }
  }

  async #look(): Promise<void> {
    const { store, observer } = this.#ports
    const partitions = this.#owned().filter(({ isLeaving }) => !isLeaving)
    observer.alarmsArmed(partitions.reduce((sum, { armed }) => sum + armed, 0))
    if (partitions.length === 0 || this.#waiting.length >= maxInHand) return
    const ids = partitions.map(({ id }) => id)
    const due = await store.dueAlarms(ids, maxInHand)
    const late = due.map(({ at, nowMs }) => nowMs - Date.parse(at))
    observer.alarmsDue(late.filter((ms) => ms > overdueMs).length, Math.max(0, ...late))
    for (const alarm of due) {
      const key = keyOf(alarm)
      if (this.#inHand.has(key)) continue
      this.#inHand.set(key, alarm)
      this.#waiting.push(alarm)
    }
    if (this.#waiting.length > 0) this.#wake.notify()
  }
}

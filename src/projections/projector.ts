import type { Clock, Log } from '../engine/ports.ts'
import type { LiveProjections, ProjectionObserver } from '../engine/read-model-ports.ts'
import { advance, turnsBehind } from './advance.ts'
import type { Fault, Target } from './fold.ts'
import type { AnyProjection } from './projection.ts'
import { slicesOf } from './stretches.ts'

export type ProjectorOptions = {
  projections: AnyProjection[]
  store: LiveProjections
  clock: Clock
  log: Log
  observer: ProjectionObserver
}

/** Between two looks at the journal. */
const pauseMs = 100
/** The same under load: the longer, the more turns share the writing of a row, and of a position. */
const busyPauseMs = 500
/** So many turns are under load, and enough for a slice: a smaller one costs more than it is worth. */
const sliceTurns = 150
/** What waits is taken in so many slices at most, spread over the pause: everything else would wait for one large step. */
const maxSlices = 8
/** For one that does not lead, or whose database is away. */
const standbyMs = 1_000
/** What folding so many takes, everything else in the process waits. */
const maxTurns = 2_000
/** Then an event that could not be folded is tried again: the fix may have come with another process. */
const stallMs = 10_000

/**
 * Keeps all read models up to date. One process does it at a time; the others stand by. Read models advance together, so
 * that each turn is read once; one that cannot fold an event is left behind until it can.
 */
export class Projector {
  readonly #options: ProjectorOptions
  readonly #targets: Target[]
  readonly #stalledUntilMs = new Map<string, number>()
  readonly #stopping = new AbortController()
  #isLeading = false
  #isReachable = true
  #running: Promise<void> | undefined

  constructor(options: ProjectorOptions) {
    this.#options = options
    this.#targets = options.projections.map((projection) => ({ name: projection.name, projection }))
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Ends with the step that is under way. The store is the caller's to close, and with it another may lead. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#options
    const { signal } = this.#stopping
    while (!signal.aborted) {
      let waitMs: number
      try {
        waitMs = await this.#round()
        if (!this.#isReachable) log.info({}, 'the read models go on')
        this.#isReachable = true
      } catch (error) {
        if (this.#isReachable) log.warn({ err: error }, 'the read models stand still; tried again shortly')
        this.#isReachable = false
        waitMs = standbyMs
      }
      if (waitMs > 0) await clock.sleep(waitMs, signal)
    }
  }

  /** @returns how long to wait before the next one */
  async #round(): Promise<number> {
    const { store, clock } = this.#options
    const isLeading = await this.#lead()
    const startedMs = clock.monotonicMs()
    const targets = this.#targets.filter(({ name }) => (this.#stalledUntilMs.get(name) ?? 0) <= startedMs)
    const lags = await store.lags(targets.map(({ name }) => name))
    const behind = turnsBehind(targets, lags)
    this.#report(behind)
    if (!isLeading) return standbyMs
    const most = Math.max(0, ...behind.values())
    const slices = slicesOf(lags, Math.min(maxSlices, Math.ceil(most / sliceTurns)))
    let isMoving = false
    for (const [index, slice] of slices.entries()) {
      await this.#sleepUntil(startedMs + (index * busyPauseMs) / slices.length)
      if (this.#stopping.signal.aborted) return 0
      const { taken, faults } = await advance(targets, slice, store, maxTurns)
      for (const [name, turns] of taken) behind.set(name, (behind.get(name) ?? 0) - turns)
      this.#report(behind)
      for (const fault of faults) this.#stall(fault, startedMs)
      isMoving ||= [...taken.values()].some((turns) => turns > 0)
    }
    const isMore = [...behind.values()].some((turns) => turns > 0)
    if (isMoving && isMore) return 0
    return slices.length > 1 ? startedMs + busyPauseMs - clock.monotonicMs() : pauseMs
  }

  async #sleepUntil(atMs: number): Promise<void> {
    const { clock } = this.#options
    const waitMs = atMs - clock.monotonicMs()
    if (waitMs > 0) await clock.sleep(waitMs, this.#stopping.signal)
  }

  async #lead(): Promise<boolean> {
    const { store, log } = this.#options
    const isLeading = await store.lead()
    if (isLeading && !this.#isLeading) {
      await store.enroll(this.#targets.map(({ name }) => name))
      log.info({}, 'keeps the read models')
    }
    this.#isLeading = isLeading
    return isLeading
  }

  #report(behind: Map<string, number>): void {
    for (const [name, turns] of behind) this.#options.observer.projectionLag(name, turns)
  }

  #stall({ name, partition, position, error }: Fault, nowMs: number): void {
    this.#stalledUntilMs.set(name, nowMs + stallMs)
    const fields = { err: error, code: 'projection-stalled', projection: name, partition, position }
    this.#options.log.error(fields, 'a read model cannot fold an event and falls behind; it is tried again shortly')
  }
}

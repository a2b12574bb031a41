import type { Host } from './host.ts'
import type { Random } from './random.ts'
import type { Sight, Sightings } from './sightings.ts'
import type { Time } from './time.ts'
import type { Trace } from './trace.ts'

/** Nothing is on its way for longer. */
export const longestDelayMs = 2_000

/** How probable each fault is at every occasion, 0 to 1. */
export type Rates = {
  /** At each of the three points of a port call: before the effect, between effect and answer, after the answer. */
  crash: number
  /** A message or an answer takes up to two seconds. */
  slow: number
  /** A database connection breaks; or says nothing more until its deadline. */
  cut: number
  silence: number
  /** What was sent down a connection that broke goes in all the same, later. */
  late: number
  /** A request to the broker, or its answer, is lost. */
  lost: number
  /** A one-way message to the broker is lost: an answer to a client, a "retry later". */
  dropped: number
  callFailed: number
  callHung: number
  callRefused: number
  /** The append of a row takes some seconds: the queue may give it to another process meanwhile. */
  slowAppend: number
  /** A flight or a taxi is sold out. */
  journeyRefused: number
}

type Exchange<T> = {
  host: Host
  what: string
  /** The effect, on the other side. What it rejects with is an answer too. */
  perform(): T | Promise<T>
  /** Whether the other side is there, when the request comes. */
  isReachable(): boolean
  /** What the host gets to see when there is no answer. */
  failure(): Error
  /** How long it waits for an answer that does not come. */
  patienceMs: number
}

/** All that can go wrong between processes, by the rates of the seed, until it is `over`. */
export class Faults {
  readonly time: Time
  readonly random: Random
  readonly trace: Trace
  readonly sightings: Sightings
  readonly #rates: Rates
  #isOver = false

  constructor(time: Time, random: Random, trace: Trace, sightings: Sightings, rates: Rates) {
    this.time = time
    this.random = random
    this.trace = trace
    this.sightings = sightings
    this.#rates = rates
  }

  /** From now on everything works, if slowly at times. */
  end(): void {
    this.#isOver = true
  }

  happens(fault: keyof Rates): boolean {
    return !this.#isOver && this.random.chance(this.#rates[fault])
  }

  /** A fault that is one of several kinds of something has a name of its own. */
  see(who: string, sight: Sight): void {
    this.trace.note(who, `! ${sight}`)
    this.sightings.note(sight)
  }

  delayMs(): number {
    return this.happens('slow') ? this.random.between(20, longestDelayMs) : this.random.between(1, 4)
  }

  crashes(host: Host, sight: Sight): boolean {
    if (host.isDead || !host.isMortal || !this.happens('crash')) return false
    this.see(host.name, sight)
    host.die()
    return true
  }

  /** Once the host has dealt with the answer, and before anything that it sends then arrives. */
  crashSoon(host: Host): void {
    if (!host.isMortal || !this.happens('crash')) return
    this.time.plan(0, () => {
      if (host.isDead) return
      this.see(host.name, 'crash after an answer')
      host.die()
    })
  }

  /** Whether something arrives that was sent before its sender died. */
  outlives(host: Host): boolean {
    if (!host.isDead) return true
    if (this.random.chance(0.5)) return false
    this.see(host.name, 'request of a dead process arrives')
    return true
  }

  /** One way, and nobody knows whether it came. */
  send(host: Host, what: string, deliver: () => void): void {
    const isDropped = this.happens('dropped')
    this.time.plan(this.delayMs(), () => {
      if (isDropped || !this.outlives(host)) return
      this.trace.note(host.name, what)
      deliver()
    })
  }

  /** A request and its answer: two events, and a crash is possible before, between and after. */
  exchange<T>({ host, what, perform, isReachable, failure, patienceMs }: Exchange<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (): void => {
        const afterMs = this.random.chance(0.5) ? patienceMs : this.delayMs()
        this.time.plan(afterMs, () => host.run(() => reject(failure())))
      }
      const answer = (settle: () => void): void => {
        if (this.crashes(host, 'crash between effect and answer')) return
        if (this.happens('lost')) {
          this.see(host.name, 'answer of the broker lost')
          fail()
          return
        }
        this.time.plan(this.delayMs(), () => {
          host.run(settle)
          this.crashSoon(host)
        })
      }
      this.time.plan(this.delayMs(), () => {
        if (this.crashes(host, 'crash before an effect') || !this.outlives(host)) return
        if (!isReachable()) {
          fail()
          return
        }
        if (this.happens('lost')) {
          this.see(host.name, 'request to the broker lost')
          fail()
          return
        }
        this.trace.note(host.name, what)
        const performed = (async () => perform())()
        performed.then(
          (value) => answer(() => resolve(value)),
          (error) => answer(() => reject(error)),
        )
      })
    })
  }
}

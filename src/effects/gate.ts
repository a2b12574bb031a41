import { setMaxListeners } from 'node:events'
import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhenResult,
} from 'cockatiel'
import type { Clock, Log, Observer } from '../engine/ports.ts'
import type { Outcome } from './outcome.ts'
import { Places } from './places.ts'
import { Rate } from './rate.ts'

export type GateOptions = {
  service: string
  /** How many calls may be under way at a time. */
  concurrency: number
  callsPerSecond: number
  /** How long the circuit stays open before one call tries whether the service works again. */
  openMs: number
  /** Tells the queue how many effects may be in hand from now on. */
  limit(concurrency: number): void
  clock: Clock
  log: Log
  observer: Pick<Observer, 'circuit'>
}

/** So many effects for each call that may be under way: one is in hand until what came of it is stored, far longer than a call takes. */
const inHandACall = 4

/** So many calls in a row that came to nothing, and the service is taken for dead. */
const deadAfterFailures = 5

const paused = new Error('the service is paused')
const isShut = (error: unknown): boolean => error === paused || error instanceof BrokenCircuitError

/** How often in the time of an open circuit those in hand ask whether it is over, or the pause. */
const looksWhileOpen = 10

/**
 * One service's circuit breaker, rate limit and pause. While the circuit is open nothing more is taken off the queue, and
 * what is in hand already waits here instead of failing: an outage costs attempts only of those who find it out. Then a
 * single call, for which one effect is taken, decides whether it goes on.
 *
 * A pause does the same until it ends. Each of the two goes its way without the other: what may be taken is what both allow.
 */
export class Gate {
  readonly #options: GateOptions
  readonly #circuit: CircuitBreakerPolicy
  readonly #rate: Rate
  readonly #places: Places
  readonly #closing = new AbortController()
  /** How many effects may be in hand as far as the circuit is concerned. */
  #allowedByCircuit: number
  #isPaused = false
  #halfOpening = new AbortController()

  constructor(options: GateOptions) {
    const { service, concurrency, callsPerSecond, openMs, clock, observer } = options
    this.#options = options
    this.#allowedByCircuit = this.#most
    this.#places = new Places(concurrency)
    this.#rate = new Rate(callsPerSecond, clock)
    // Every call that waits listens to it.
    setMaxListeners(0, this.#closing.signal)
    const failures = handleWhenResult((outcome) => 'temporary' in (outcome as Outcome))
    this.#circuit = circuitBreaker(failures, {
      halfOpenAfter: openMs,
      breaker: new ConsecutiveBreaker(deadAfterFailures),
    })
    observer.circuit(service, false)
    this.#circuit.onBreak(() => this.#opened())
    this.#circuit.onReset(() => this.#closed())
  }

  /** Makes the call when its time has come. Nothing when the gate closes before that. */
  async pass(call: () => Promise<Outcome>): Promise<Outcome | undefined> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      try {
        return await this.#attempt(call)
      } catch (error) {
        if (signal.aborted) return undefined
        if (!isShut(error)) throw error
      }
      await this.#options.clock.sleep(this.#lookMs, signal)
    }
    return undefined
  }

  /** Makes the call in its turn. Nothing when the gate shuts before that, for however long. */
  async passWhileOpen(call: () => Promise<Outcome>): Promise<Outcome | undefined> {
    try {
      return await this.#attempt(call)
    } catch (error) {
      if (this.#closing.signal.aborted || isShut(error)) return undefined
      throw error
    }
  }

  /** Whoever waits for the gate to open holds no place meanwhile. */
  async #attempt(call: () => Promise<Outcome>): Promise<Outcome> {
    const { signal } = this.#closing
    signal.throwIfAborted()
    const place = this.#places.take()
    if (place) await place
    try {
      this.#checkPause()
      return await this.#circuit.execute(async () => {
        await this.#rate.turn(signal)
        this.#checkPause()
        return call()
      })
    } finally {
      this.#places.leave()
    }
  }

  #checkPause(): void {
    this.#closing.signal.throwIfAborted()
    if (this.#isPaused) throw paused
  }

  /** Whether calls go through as they come. */
  get isOpen(): boolean {
    return this.allowed === this.#most
  }

  /** How many effects may be in hand now. */
  get allowed(): number {
    return this.#isPaused ? 0 : this.#allowedByCircuit
  }

  /** Calls under way come to their end; no other is made until the pause is over. */
  pause(isPaused: boolean): void {
    if (isPaused === this.#isPaused) return
    const { service, log } = this.#options
    log.info({ service }, isPaused ? 'the service is paused: its calls wait' : 'the service is resumed')
    this.#isPaused = isPaused
    this.#options.limit(this.allowed)
  }

  /** Those who wait give up. Calls under way come to their end. */
  close(): void {
    this.#closing.abort()
    this.#places.open()
    this.#halfOpening.abort()
  }

  get #most(): number {
    return this.#options.concurrency * inHandACall
  }

  get #lookMs(): number {
    return this.#options.openMs / looksWhileOpen
  }

  #opened(): void {
    const { service, openMs, clock, log, observer } = this.#options
    observer.circuit(service, true)
    log.warn({ service, openMs }, 'the service fails again and again: its calls wait')
    this.#allow(0)
    this.#halfOpening.abort()
    this.#halfOpening = new AbortController()
    const { signal } = this.#halfOpening
    void clock.sleep(openMs, signal).then(() => signal.aborted || this.#allow(1))
  }

  #closed(): void {
    const { service, log, observer } = this.#options
    observer.circuit(service, false)
    log.info({ service }, 'the service works again')
    this.#allow(this.#most)
  }

  #allow(inHand: number): void {
    this.#allowedByCircuit = inHand
    if (!this.#isPaused) this.#options.limit(this.allowed)
  }
}

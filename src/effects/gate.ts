import { setMaxListeners } from 'node:events'
import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhenResult,
} from 'cockatiel'
import type { Clock, Log } from '../engine/ports.ts'
import type { Outcome } from './outcome.ts'
import { Rate } from './rate.ts'

export type GateOptions = {
  service: string
  /** How many calls may be under way at a time. The queue keeps to it. */
  concurrency: number
  callsPerSecond: number
  /** How long the circuit stays open before one call tries whether the service works again. */
  openMs: number
  /** Tells the queue how many effects may be in hand from now on. */
  limit(concurrency: number): void
  clock: Clock
  log: Log
}

/** So many calls in a row that came to nothing, and the service is taken for dead. */
const deadAfterFailures = 5

/** How often in the time of an open circuit those in hand ask whether it is over. */
const looksWhileOpen = 10

/**
 * One service's circuit breaker and rate limit. While the circuit is open nothing more is taken off the queue, and what
 * is in hand already waits here instead of failing: an outage costs attempts only of those who find it out. Then a single
 * call, for which one effect is taken, decides whether it goes on.
 */
export class Gate {
  readonly #options: GateOptions
  readonly #circuit: CircuitBreakerPolicy
  readonly #rate: Rate
  readonly #closing = new AbortController()
  #halfOpening = new AbortController()

  constructor(options: GateOptions) {
    const { callsPerSecond, openMs, clock } = options
    this.#options = options
    this.#rate = new Rate(callsPerSecond, clock)
    // Every call that waits listens to it.
    setMaxListeners(0, this.#closing.signal)
    const failures = handleWhenResult((outcome) => 'temporary' in (outcome as Outcome))
    this.#circuit = circuitBreaker(failures, {
      halfOpenAfter: openMs,
      breaker: new ConsecutiveBreaker(deadAfterFailures),
    })
    this.#circuit.onBreak(() => this.#opened())
    this.#circuit.onReset(() => this.#closed())
  }

  /** Makes the call when its time has come. Nothing when the gate closes before that. */
  async pass(call: () => Promise<Outcome>): Promise<Outcome | undefined> {
    const { signal } = this.#closing
    const { openMs, clock } = this.#options
    while (!signal.aborted) {
      try {
        return await this.#circuit.execute(async () => {
          await this.#rate.turn(signal)
          return call()
        })
      } catch (error) {
        if (signal.aborted) return undefined
        if (!(error instanceof BrokenCircuitError)) throw error
      }
      await clock.sleep(openMs / looksWhileOpen, signal)
    }
    return undefined
  }

  /** Those who wait give up. Calls under way come to their end. */
  close(): void {
    this.#closing.abort()
    this.#halfOpening.abort()
  }

  #opened(): void {
    const { service, openMs, limit, clock, log } = this.#options
    log.warn({ service, openMs }, 'the service fails again and again: its calls wait')
    limit(0)
    this.#halfOpening.abort()
    this.#halfOpening = new AbortController()
    const { signal } = this.#halfOpening
    void clock.sleep(openMs, signal).then(() => signal.aborted || limit(1))
  }

  #closed(): void {
    const { service, concurrency, limit, log } = this.#options
    log.info({ service }, 'the service works again')
    limit(concurrency)
  }
}

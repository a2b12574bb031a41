import type { Log } from '../engine/ports.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Refusal } from './admission.ts'
import { type Answer, type HttpRequest, lengthOf } from './exchange.ts'
import { correlationIdOf } from './headers.ts'
import { Problem, problemType } from './problems.ts'

export type GateOptions = {
  /** Why no command is taken now, if none is. */
  refusal: () => Refusal | undefined
  makeId: () => string
  metrics: Metrics
  log: Log
}

/** What differs from one refusal to another. */
type Known = { retryAfter: string; length: string; body: string }

const countedForMs = 10_000

/**
 * Turns away whoever would be refused anyway, before the body is read, a route is looked for or a line is logged: when
 * there is too much to do most requests end here. Whoever only asks is let through.
 */
export class Gate {
  readonly #options: GateOptions
  /** By the detail. */
  readonly #answers = new Map<string, Known>()
  #turnedAway = 0

  constructor(options: GateOptions) {
    this.#options = options
  }

  /** @returns what it is answered with, if it is turned away */
  turnAway({ method, headers }: Pick<HttpRequest, 'method' | 'headers'>): Answer | undefined {
    if (method !== 'POST' && method !== 'PUT') return undefined
    const refused = this.#options.refusal()
    if (!refused) return undefined
    this.#options.metrics.httpRequest('none', method, 503, 0)
    this.#count(refused)
    const { retryAfter, length, body } = this.#known(refused)
    const correlationId = correlationIdOf(headers['correlation-id'], this.#options.makeId)
    // A literal: to copy the headers of a known answer costs six microseconds, a fifth of a refusal.
    return {
      status: 503,
      headers: {
        'Retry-After': retryAfter,
        'Content-Type': problemType,
        'Content-Length': length,
        'Correlation-ID': correlationId,
      },
      body,
    }
  }

  #known({ code, detail }: Refusal): Known {
    const known = this.#answers.get(detail)
    if (known) return known
    const problem = new Problem(code, detail)
    const body = JSON.stringify(problem.document())
    const fresh = { retryAfter: problem.headers['Retry-After'] ?? '1', length: lengthOf(body), body }
    this.#answers.set(detail, fresh)
    return fresh
  }

  /** A line for each would be a load of its own: there is one when it begins, and one with how many they were. */
  #count(refused: Refusal): void {
    this.#turnedAway += 1
    if (this.#turnedAway > 1) return
    const { log } = this.#options
    log.warn(refused, 'requests are turned away')
    const sum = () => {
      log.warn({ ...refused, requests: this.#turnedAway, seconds: countedForMs / 1_000 }, 'requests were turned away')
      this.#turnedAway = 0
    }
    setTimeout(sum, countedForMs).unref()
  }
}

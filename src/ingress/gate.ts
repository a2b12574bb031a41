import type { Log } from '../engine/ports.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Refusal } from './admission.ts'
import type { Answer, HttpRequest } from './exchange.ts'
import { correlationIdOf } from './headers.ts'
import { Problem, problemAnswer } from './problems.ts'

export type GateOptions = {
  /** Why no command is taken now, if none is. */
  refusal: () => Refusal | undefined
  makeId: () => string
  metrics: Metrics
  log: Log
}

const countedForMs = 10_000

/**
 * Turns away whoever would be refused anyway, before the body is read, a route is looked for or a line is logged: when
 * there is too much to do most requests end here. Whoever only asks is let through.
 */
export class Gate {
  readonly #options: GateOptions
  /** By the detail. */
  readonly #answers = new Map<string, Answer>()
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
    const { headers: known, ...answer } = this.#known(refused)
    const correlationId = correlationIdOf(headers['correlation-id'], this.#options.makeId)
    return { ...answer, headers: { 'Correlation-ID': correlationId, ...known } }
  }

  #known({ code, detail }: Refusal): Answer {
    const known = this.#answers.get(detail)
    if (known) return known
    const answer = problemAnswer(new Problem(code, detail))
    this.#answers.set(detail, answer)
    return answer
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

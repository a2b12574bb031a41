import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Log } from '../engine/ports.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Refusal } from './admission.ts'
import { correlationIdOf } from './headers.ts'
import { Problem } from './problems.ts'

export type GateOptions = {
  /** Why no command is taken now, if none is. */
  refusal: () => Refusal | undefined
  makeId: () => string
  metrics: Metrics
  log: Log
}

/** Names and values in turn, as `writeHead` takes them without looking at them. */
type Answer = { headers: string[]; body: string }

const countedForMs = 10_000

/**
 * Turns away whoever would be refused anyway, before the body is read, a route is looked for or a line is logged. When
 * there is too much to do most requests end here: each costs two fifths of what it would cost behind the routes. Whoever only
 * asks is let through.
 */
export class Gate {
  readonly #options: GateOptions
  /** By the detail. */
  readonly #answers = new Map<string, Answer>()
  #turnedAway = 0

  constructor(options: GateOptions) {
    this.#options = options
  }

  /** @returns whether it was, and is answered by now */
  turnAway(request: IncomingMessage, response: ServerResponse): boolean {
    if (request.method !== 'POST' && request.method !== 'PUT') return false
    const { refusal, makeId, metrics } = this.#options
    const refused = refusal()
    if (!refused) return false
    const { headers, body } = this.#answerTo(refused)
    response.writeHead(503, [...headers, 'Correlation-ID', correlationIdOf(request, makeId)]).end(body)
    metrics.httpRequest('none', request.method, 503, 0)
    this.#count(refused)
    return true
  }

  #answerTo({ code, detail }: Refusal): Answer {
    const known = this.#answers.get(detail)
    if (known) return known
    const problem = new Problem(code, detail)
    const body = JSON.stringify(problem.document())
    const type = { 'Content-Type': 'application/problem+json', 'Content-Length': String(Buffer.byteLength(body)) }
    const answer = { headers: Object.entries({ ...problem.headers, ...type }).flat(), body }
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

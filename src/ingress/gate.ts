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
type Answer = { headers: string[]; body: string; head: string }

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

  /** @returns whether it was, and is answered by now */
  turnAway({ method = '', headers }: IncomingMessage, response: ServerResponse): boolean {
    const answer = this.#answerTo(method)
    if (!answer) return false
    response.writeHead(503, [...answer.headers, 'Correlation-ID', this.#idOf(headers['correlation-id'])])
    response.end(answer.body)
    return true
  }

  /** The same for whom there is no response to write to. @returns what goes on the wire, if it is turned away */
  refuse(method: string, correlationId: string | undefined): string | undefined {
    const answer = this.#answerTo(method)
    return answer && `${answer.head}Correlation-ID: ${this.#idOf(correlationId)}\r\n\r\n${answer.body}`
  }

  #answerTo(method: string): Answer | undefined {
    if (method !== 'POST' && method !== 'PUT') return undefined
    const refused = this.#options.refusal()
    if (!refused) return undefined
    this.#options.metrics.httpRequest('none', method, 503, 0)
    this.#count(refused)
    return this.#known(refused)
  }

  #known({ code, detail }: Refusal): Answer {
    const known = this.#answers.get(detail)
    if (known) return known
    const problem = new Problem(code, detail)
    const body = JSON.stringify(problem.document())
    const type = { 'Content-Type': 'application/problem+json', 'Content-Length': String(Buffer.byteLength(body)) }
    const headers = Object.entries({ ...problem.headers, ...type })
    const lines = ['HTTP/1.1 503 Service Unavailable', ...headers.map(([name, value]) => `${name}: ${value}`), '']
    const answer = { headers: headers.flat(), body, head: lines.join('\r\n') }
    this.#answers.set(detail, answer)
    return answer
  }

  #idOf(given: string | string[] | undefined): string {
    return correlationIdOf(given, this.#options.makeId)
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

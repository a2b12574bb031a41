import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '../engine/ports.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { correlationIdOf } from './headers.ts'
import { eventStream } from './route.ts'

declare module 'fastify' {
  interface FastifyRequest {
    correlationId: string
  }
}

type TrafficOptions = { makeId: () => string; metrics: Metrics; log: Log }

/** What nginx counts a request as whose client hung up before the answer. */
const clientClosedRequest = 499

/** Keeps the books of the requests under way: correlation ids, figures, access log, and who is still to be answered. */
export class Traffic {
  readonly #options: TrafficOptions
  #underWay = 0
  #onFinished: (() => void)[] = []
  isDraining = false

  constructor(options: TrafficOptions) {
    this.#options = options
  }

  begin(request: FastifyRequest, reply: FastifyReply): void {
    const beganMs = performance.now()
    request.correlationId = correlationIdOf(request.raw.headers['correlation-id'], this.#options.makeId)
    reply.header('Correlation-ID', request.correlationId)
    this.#underWay++
    reply.raw.once('close', () => this.#end(request, reply, performance.now() - beganMs))
  }

  /** Resolves as soon as no request is under way. */
  finished(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#underWay === 0) resolve()
      else this.#onFinished.push(resolve)
    })
  }

  #end(request: FastifyRequest, reply: FastifyReply, tookMs: number): void {
    const { method, correlationId } = request
    // The pattern, not the path: there must not be a series for every booking.
    const route = request.routeOptions.url ?? 'none'
    const status = reply.raw.writableFinished ? reply.statusCode : clientClosedRequest
    // How long somebody listens is no latency.
    if (reply.getHeader('Content-Type') !== eventStream) {
      this.#options.metrics.httpRequest(route, method, status, tookMs / 1_000)
    }
    this.#options.log.debug({ correlationId, method, path: request.url, status, tookMs }, 'answered')
    if (--this.#underWay === 0) for (const resolve of this.#onFinished.splice(0)) resolve()
  }
}

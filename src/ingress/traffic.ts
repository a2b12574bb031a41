import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '../engine/ports.ts'
import type { Span, TracedAnswer, Tracer } from '../engine/trace-ports.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { correlationIdOf, traceparentOf } from './headers.ts'
import { eventStream } from './route.ts'
import { health, metrics, ready } from './routes/operation.ts'

declare module 'fastify' {
  interface FastifyRequest {
    correlationId: string
    /** Of the request itself if its story is followed, else as it came. */
    traceparent: string | undefined
  }
}

type RequestSpan = Span<TracedAnswer>
type TrafficOptions = { makeId: () => string; metrics: Metrics; tracer: Pick<Tracer, 'request'>; log: Log }

/** Somebody asks for them every few seconds, and no story begins with them. */
const untraced = new Set<string>([health, ready, metrics].map(({ path }) => path))

/** What nginx counts a request as whose client hung up before the answer. */
const clientClosedRequest = 499

/** Keeps the books of the requests under way: correlation ids, traces, figures, access log, and who is still to be answered. */
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
    const span = this.#trace(request)
    reply.raw.once('close', () => this.#end(request, reply, performance.now() - beganMs, span))
  }

  #trace(request: FastifyRequest): RequestSpan | undefined {
    request.traceparent = traceparentOf(request.raw)
    const { traceparent, method, url } = request
    const path = url.split('?', 1)[0] ?? url
    if (untraced.has(path)) return undefined
    const span = this.#options.tracer.request({ method, path, traceparent })
    request.traceparent = span?.traceparent ?? traceparent
    return span
  }

  /** Resolves as soon as no request is under way. */
  finished(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#underWay === 0) resolve()
      else this.#onFinished.push(resolve)
    })
  }

  #end(request: FastifyRequest, reply: FastifyReply, tookMs: number, span: RequestSpan | undefined): void {
    const { method, correlationId, traceparent } = request
    // The pattern, not the path: there must not be a series for every booking.
    const route = request.routeOptions.url ?? 'none'
    const status = reply.raw.writableFinished ? reply.statusCode : clientClosedRequest
    // How long somebody listens is no latency.
    if (reply.getHeader('Content-Type') !== eventStream) {
      this.#options.metrics.httpRequest(route, method, status, tookMs / 1_000)
    }
    span?.end({ status, route: request.routeOptions.url })
    this.#options.log.debug({ correlationId, traceparent, method, path: request.url, status, tookMs }, 'answered')
    if (--this.#underWay === 0) for (const resolve of this.#onFinished.splice(0)) resolve()
  }
}

import type { Log } from '../engine/ports.ts'
import type { Tracer } from '../engine/trace-ports.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Answer, HttpRequest } from './exchange.ts'
import { correlationIdOf, traceparentOf } from './headers.ts'
import { eventStream } from './route.ts'
import { type Found, pathOf } from './router.ts'
import { health, metrics, ready } from './routes/operation.ts'
import type { Visit } from './visit.ts'

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

  begin(request: HttpRequest, found: Found): Visit {
    const beganMs = performance.now()
    const { makeId, tracer } = this.#options
    const { method, target, headers } = request
    const correlationId = correlationIdOf(headers['correlation-id'], makeId)
    const traceparent = traceparentOf(headers)
    const path = pathOf(target)
    const span = untraced.has(path) ? undefined : tracer.request({ method, path, traceparent })
    this.#underWay++
    return {
      request,
      found,
      correlationId,
      traceparent: span?.traceparent ?? traceparent,
      caller: undefined,
      headers: { 'Correlation-ID': correlationId },
      beganMs,
      span,
    }
  }

  /**
   * To be called once for each.
   *
   * @param answer as far as there is one
   * @param isSent whether all of it has left
   */
  end(
    { request, found, correlationId, traceparent, beganMs, span }: Visit,
    answer: Answer | undefined,
    isSent: boolean,
  ): void {
    const tookMs = performance.now() - beganMs
    const { method, target: path } = request
    const status = answer && isSent ? answer.status : clientClosedRequest
    // How long somebody listens is no latency.
    if (answer?.headers['Content-Type'] !== eventStream) {
      // The pattern, not the path: there must not be a series for every booking.
      this.#options.metrics.httpRequest(found.pattern ?? 'none', method, status, tookMs / 1_000)
    }
    span?.end({ status, route: found.pattern })
    this.#options.log.debug({ correlationId, traceparent, method, path, status, tookMs }, 'answered')
    if (--this.#underWay === 0) for (const resolve of this.#onFinished.splice(0)) resolve()
  }

  /** Resolves as soon as no request is under way. */
  finished(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#underWay === 0) resolve()
      else this.#onFinished.push(resolve)
    })
  }
}

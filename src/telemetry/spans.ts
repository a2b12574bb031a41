import {
  type Span as OtelSpan,
  type Tracer as OtelTracer,
  ROOT_CONTEXT,
  type SpanContext,
  type SpanOptions,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import type { Span } from '../engine/trace-ports.ts'
import type { PlannedIds, SpanIds } from './span-ids.ts'
import { formatTraceparent, readTraceparent } from './traceparent.ts'

/** Begins a span: below its parent, or as the first of a trace, for which the sampler is asked. */
export type Begin = (
  name: string,
  options: SpanOptions,
  traceparent: string | undefined,
  planned?: PlannedIds,
) => OtelSpan

export const beginBy =
  (otel: OtelTracer, ids: SpanIds): Begin =>
  (name, options, traceparent, planned = none) => {
    ids.planned = planned
    const context =
      traceparent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, contextOf(traceparent))
    return otel.startSpan(name, options, context)
  }

const none: PlannedIds = {}

export function contextOf(traceparent: string): SpanContext {
  const { traceId, spanId, isSampled } = readTraceparent(traceparent)
  return { traceId, spanId, traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true }
}

type Close<Result> = (span: OtelSpan, result: Result) => void

/** @param close puts into it what has come of it */
export function spanOf<Result = void>(span: OtelSpan, close: Close<Result> = () => {}): Span<Result> {
  const { traceId, spanId } = span.spanContext()
  return {
    traceparent: formatTraceparent({ traceId, spanId, isSampled: span.isRecording() }),
    end(result) {
      close(span, result)
      span.end()
    },
  }
}

/**
 * The same for one that the sampler may not want. Of the beginning of a story there is then a context all the same, which says so to
 * all that follows.
 */
export function sampledSpanOf<Result>(
  span: OtelSpan,
  traceparent: string | undefined,
  close: Close<Result>,
): Span<Result> | undefined {
  if (span.isRecording()) return spanOf(span, close)
  const isBeginning = traceparent === undefined && trace.isSpanContextValid(span.spanContext())
  return isBeginning ? spanOf(span) : undefined
}

/** @param errorsFrom the status from which on it counts as an error: a client's fault is none of the server's */
export function closeHttp(span: OtelSpan, status: number, errorsFrom: number): void {
  span.setAttribute('http.response.status_code', status)
  if (status >= errorsFrom) fail(span, String(status))
}

export function fail(span: OtelSpan, errorType: string): void {
  span.setAttribute('error.type', errorType).setStatus({ code: SpanStatusCode.ERROR })
}

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
import { formatTraceparent, type TraceContext } from './traceparent.ts'

/** Begins a span: below its parent, or as the first of a trace, for which the sampler is asked. */
export type Begin = (name: string, options: SpanOptions, parent?: TraceContext, planned?: PlannedIds) => OtelSpan

export const beginBy =
  (otel: OtelTracer, ids: SpanIds): Begin =>
  (name, options, parent, planned = {}) => {
    ids.planned = planned
    return otel.startSpan(name, options, parent ? trace.setSpanContext(ROOT_CONTEXT, contextOf(parent)) : ROOT_CONTEXT)
  }

export function contextOf({ traceId, spanId, isSampled }: TraceContext): SpanContext {
  return { traceId, spanId, traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true }
}

/** @param close puts into it what has come of it */
export function spanOf<Result = void>(
  span: OtelSpan,
  close: (span: OtelSpan, result: Result) => void = () => {},
): Span<Result> {
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
 * A part of a story that is followed, or the beginning of one. Of a beginning that the sampler does not want there is no more than a
 * context, which tells all that follows.
 */
export function follow<Result>(
  parent: TraceContext | undefined,
  start: () => OtelSpan,
  close: (span: OtelSpan, result: Result) => void,
): Span<Result> | undefined {
  if (parent?.isSampled === false) return undefined
  const span = start()
  if (span.isRecording()) return spanOf(span, close)
  const isBeginning = parent === undefined && trace.isSpanContextValid(span.spanContext())
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

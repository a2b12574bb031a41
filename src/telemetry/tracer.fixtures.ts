import { tracing } from '@opentelemetry/sdk-node'
import type { Tracer } from '../engine/trace-ports.ts'
import { SpanIds } from './span-ids.ts'
import { formatTraceparent } from './traceparent.ts'
import { createTracer } from './tracer.ts'

/** A span as a test looks at it: by contexts, as they travel. */
export type Seen = {
  name: string
  traceparent: string
  /** Nothing for the first of a trace. */
  parent: string | undefined
  links: string[]
  attributes: Record<string, unknown>
  isError: boolean
  startMs: number
}

/** The tracer on the SDK itself, which keeps what it is told. @param ratio how many of the stories that begin are followed */
export function tracerForTests(ratio = 1): { tracer: Tracer; seen(): Seen[] } {
  const exporter = new tracing.InMemorySpanExporter()
  const ids = new SpanIds()
  const root = new tracing.TraceIdRatioBasedSampler(ratio)
  const provider = new tracing.BasicTracerProvider({
    idGenerator: ids,
    sampler: new tracing.ParentBasedSampler({ root }),
    spanProcessors: [new tracing.SimpleSpanProcessor(exporter)],
  })
  const seen = () =>
    exporter.getFinishedSpans().map((span): Seen => {
      const { name, parentSpanContext, links, attributes, status, startTime } = span
      return {
        name,
        traceparent: textOf(span.spanContext()),
        parent: parentSpanContext && textOf(parentSpanContext),
        links: links.map(({ context }) => textOf(context)),
        attributes,
        isError: status.code === 2,
        startMs: startTime[0] * 1_000 + Math.floor(startTime[1] / 1e6),
      }
    })
  return { tracer: createTracer(provider.getTracer('test'), ids), seen }
}

type Context = { traceId: string; spanId: string; traceFlags: number }

const textOf = ({ traceId, spanId, traceFlags }: Context): string =>
  formatTraceparent({ traceId, spanId, isSampled: traceFlags === 1 })

import { setTimeout as sleep } from 'node:timers/promises'
import { type ContextManager, DiagLogLevel, diag, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { NodeSDK, resources } from '@opentelemetry/sdk-node'
import type { Log } from '../engine/ports.ts'
import { SpanIds } from './span-ids.ts'
import { createTracer } from './tracer.ts'
import type { Tracing } from './tracing.ts'

/** A collector that is away must not hold up a stop. */
const closeMs = 2_000

/** Contexts are handed on by hand. The SDK's own manager follows every promise of the process, which costs each of them. */
const byHand: ContextManager = {
  active: () => ROOT_CONTEXT,
  with: (_, run, self, ...args) => run.call(self, ...args),
  bind: (_, target) => target,
  enable: () => byHand,
  disable: () => byHand,
}

/** Starts the SDK, which reads its own settings, `OTEL_…`, from the environment: sampler, limits, batches, names. */
export function startOpenTelemetry(worker: string, log: Log): Tracing {
  const warn = (message: string): void => log.warn({ cause: message }, 'traces are not sent as they should be')
  const ignore = (): void => {}
  const logger = { error: warn, warn, info: ignore, debug: ignore, verbose: ignore }
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
  const ids = new SpanIds()
  const sdk = new NodeSDK({
    // What the environment says comes on top of it.
    resource: resources
      .defaultResource()
      .merge(resources.resourceFromAttributes({ 'service.name': 'turnstile', 'service.instance.id': worker })),
    traceExporter: new OTLPTraceExporter(),
    idGenerator: ids,
    textMapPropagator: null,
    contextManager: byHand,
    // Figures are for Prometheus, and logs are lines on stdout.
    metricReaders: [],
    logRecordProcessors: [],
  })
  sdk.start()
  return {
    tracer: createTracer(trace.getTracer('turnstile'), ids),
    close: () => Promise.race([sdk.shutdown(), sleep(closeMs, undefined, { ref: false })]),
  }
}

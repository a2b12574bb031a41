import type { Config } from '../config.ts'
import type { Log } from '../engine/ports.ts'
import { noTracer, type Tracer } from '../engine/trace-ports.ts'

export type Tracing = {
  tracer: Tracer
  /** Sends what has not been sent yet, if there is somebody who takes it. */
  close(): Promise<void>
}

type Settings = Pick<Config, 'OTEL_EXPORTER_OTLP_ENDPOINT' | 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'>

/**
 * Traces to wherever the settings say. Where they say nothing, nothing of OpenTelemetry is even loaded.
 *
 * @param worker names this process
 */
export async function openTracing(settings: Settings, worker: string, log: Log): Promise<Tracing> {
  const endpoint = settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? settings.OTEL_EXPORTER_OTLP_ENDPOINT
  if (endpoint === undefined) return { tracer: noTracer, close: async () => {} }
  const { startOpenTelemetry } = await import('./open-telemetry.ts')
  log.info({ host: new URL(endpoint).host }, 'traces are sent')
  return startOpenTelemetry(worker, log)
}

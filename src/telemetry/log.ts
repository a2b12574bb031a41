import { type DestinationStream, type Logger, pino } from 'pino'
import { readTraceparent } from './traceparent.ts'

/**
 * JSON lines on stdout.
 *
 * @param worker names this process in every line
 */
export function createLog(level: string, worker: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: { service: 'turnstile', worker },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }), log: withTraceId },
  }
  return destination ? pino(options, destination) : pino(options)
}

/** The name by which those who show traces and lines side by side find the one from the other. */
function withTraceId(fields: Record<string, unknown>): Record<string, unknown> {
  if (!('traceparent' in fields)) return fields
  const { traceparent, ...others } = fields
  return typeof traceparent === 'string' ? { ...others, trace_id: readTraceparent(traceparent).traceId } : others
}

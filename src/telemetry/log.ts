import { type DestinationStream, type Logger, pino } from 'pino'

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
    formatters: { level: (label: string) => ({ level: label }) },
  }
  return destination ? pino(options, destination) : pino(options)
}

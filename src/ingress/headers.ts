import type { IncomingHttpHeaders } from 'node:http'
import { isTraceparent } from '../telemetry/traceparent.ts'
import type { HttpRequest } from './exchange.ts'
import { Problem } from './problems.ts'

/** The request headers that mean something here. */

/** Printable ASCII without blanks: safe in a header of HTTP and of NATS, and in a log line. */
const correlationPattern = /^[\x21-\x7e]{1,128}$/
const keyPattern = /^[\x20-\x7e]{1,255}$/

/** The caller's `Correlation-ID`, or a made one when there is none that is fit to be carried on. */
export function correlationIdOf(given: string | string[] | undefined, makeId: () => string): string {
  return typeof given === 'string' && correlationPattern.test(given) ? given : makeId()
}

/** A `traceparent` that is not valid counts as none, as W3C asks. */
export function traceparentOf(headers: IncomingHttpHeaders): string | undefined {
  const given = headers.traceparent
  return typeof given === 'string' && isTraceparent(given) ? given : undefined
}

/** Where an EventSource says that it was cut off. Given twice, it is not an id any more. */
export function lastEventIdOf(headers: IncomingHttpHeaders): string | undefined {
  return headers['last-event-id']?.toString()
}

/**
 * @throws `invalid-idempotency-key` for one that is given but cannot be used: to ignore it could book twice; or for none,
 *   where it is required
 */
export function idempotencyKeyOf(request: HttpRequest, isRequired = false): string | undefined {
  const key = request.headers['idempotency-key']
  if (key === undefined) {
    if (isRequired) throw invalidKey('is required')
    return undefined
  }
  if (typeof key === 'string' && keyPattern.test(key) && !request.isRepeated('idempotency-key')) return key
  throw invalidKey('must be given once, as 1 to 255 printable ASCII characters')
}

function invalidKey(message: string): Problem {
  return new Problem('invalid-idempotency-key', `Idempotency-Key ${message}`, {
    errors: [{ field: 'Idempotency-Key', message }],
  })
}

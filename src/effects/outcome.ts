import type { HttpAnswer } from './http.ts'
import type { OutcomeCommand, ServiceCall } from './service.ts'

export type Outcome =
  /** Done or refused: what the actor is to be told. */
  | { tell: OutcomeCommand }
  /** Refused, and nobody is to be told. */
  | { refused: string }
  | { temporary: string; retryAfterMs: number }

const maxReasonCharacters = 500
const maxRetryAfterMs = 15 * 60_000

/** What an answer means, by the tables of the adapter. */
export function outcomeOf(call: ServiceCall<unknown>, answer: HttpAnswer): Outcome {
  const { status, body, retryAfter } = answer
  const schema = call.done[status]
  if (schema) {
    const parsed = schema.safeParse(parseJson(body))
    if (parsed.success) return { tell: call.onDone(parsed.data) }
    return { temporary: `${status} with a body that does not parse: ${excerpt(body)}`, retryAfterMs: 0 }
  }
  const reason = excerpt(body) || `it answered ${status}`
  if (!call.refused.includes(status))
    return { temporary: `${status}: ${reason}`, retryAfterMs: parseRetryAfter(retryAfter) }
  return call.onRefused ? { tell: call.onRefused(reason) } : { refused: reason }
}

/** Seconds or a date, as milliseconds from now. 0 for none, or one that makes no sense. */
export function parseRetryAfter(value: string | undefined, nowMs = Date.now()): number {
  if (value === undefined) return 0
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1_000 : Date.parse(value) - nowMs
  return ms > 0 ? Math.min(ms, maxRetryAfterMs) : 0
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/** The service's own words, fit for an event: its `error` or `reason` if it sent JSON, no control characters, not too long. */
function excerpt(body: string): string {
  const json = parseJson(body)
  const fields = typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {}
  const words = [fields.error, fields.reason, fields.detail, fields.message].find((value) => typeof value === 'string')
  const text = String(words ?? body).replaceAll(/[\p{Cc}\p{Surrogate}]+/gu, ' ')
  return [...text.trim()].slice(0, maxReasonCharacters).join('')
}

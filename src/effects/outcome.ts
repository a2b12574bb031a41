import type { HttpAnswer } from './http.ts'
import type { OutcomeCommand, ReadBack, ServiceCall } from './service.ts'

export type Outcome =
  /** Done: what the actor is to be told. */
  | { tell: OutcomeCommand }
  /** Refused for good. Without a consequence there is nobody to tell. */
  | { refused: string; tell: OutcomeCommand | undefined }
  | { temporary: string; retryAfterMs: number }

const maxReasonCharacters = 500
const maxRetryAfterMs = 15 * 60_000

/** What an answer means, by the tables of the adapter. */
export function outcomeOf<R>(call: ServiceCall<R>, request: R, answer: HttpAnswer): Outcome {
  const { status, body } = answer
  if (call.done.includes(status)) {
    try {
      return { tell: call.onDone(request, answerJson(answer)) }
    } catch {
      return { temporary: `${status} with a body that does not parse: ${excerpt(body)}`, retryAfterMs: 0 }
    }
  }
  if (!call.refused.includes(status)) return temporary(answer)
  const reason = reasonOf(answer)
  return { refused: reason, tell: call.onRefused?.(reason, request) }
}

/** What a look at the service shows: nothing when what was asked is not done yet. */
export function outcomeOfReadBack<R>(
  call: ServiceCall<R>,
  readBack: ReadBack<R>,
  request: R,
  answer: HttpAnswer,
): Outcome | undefined {
  if (answer.status !== 200) return temporary(answer)
  try {
    return readBack.isDone(request, answerJson(answer)) ? { tell: call.onDone(request, undefined) } : undefined
  } catch {
    return { temporary: `200 with a body that does not parse: ${excerpt(answer.body)}`, retryAfterMs: 0 }
  }
}

const temporary = (answer: HttpAnswer): Outcome => ({
  temporary: `${answer.status}: ${reasonOf(answer)}`,
  retryAfterMs: parseRetryAfter(answer.retryAfter),
})

const reasonOf = ({ status, body }: HttpAnswer): string => excerpt(body) || `it answered ${status}`

/**
 * Nothing when the body is empty. Success in other words than JSON is somebody else's page, say a proxy's; what comes
 * with the status of an error is for people.
 */
function answerJson({ status, body }: HttpAnswer): unknown {
  return body.trim() === '' || status >= 400 ? undefined : JSON.parse(body)
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

import type { ProblemDocument } from '../../schemas/http.ts'
import { type Answer, lengthOf } from './exchange.ts'

type Explanation = { status: number; title: string; meaning: string; remedy: string }

/**
 * Every problem that an answer can name: `/problems/<code>` explains it to whoever follows its `type`, and
 * `docs/errors.md` lists them; a test keeps the two equal.
 */
export const problemCatalogue = {
  'invalid-request': {
    status: 400,
    title: 'The request is not valid',
    meaning: 'A field is missing, of the wrong type, or out of its range. `errors` names each, up to a hundred.',
    remedy: 'Correct the fields and send it again. Nothing was done.',
  },
  'malformed-json': {
    status: 400,
    title: 'The body is not JSON',
    meaning: 'The body is empty, is not JSON, or is not encoded as UTF-8.',
    remedy: 'Send one JSON object in UTF-8. Nothing was done.',
  },
  'malformed-http': {
    status: 400,
    title: 'The request is not HTTP as it should be',
    meaning: 'The request line, a header or the length of the body cannot be understood.',
    remedy: 'Look at what the client or a proxy on the way sends. Nothing was done.',
  },
  'invalid-idempotency-key': {
    status: 400,
    title: 'The Idempotency-Key cannot be used',
    meaning:
      'The header is missing where it is required, empty, longer than 255 characters, not printable ASCII, or there several times.',
    remedy: 'Send one key, best a UUIDv7. Nothing was done.',
  },
  unauthenticated: {
    status: 401,
    title: 'The server does not know who asks',
    meaning:
      'There is no API key and no token in the header `Authorization`, or one that is not good (any more). `detail` says why.',
    remedy: 'Send `Authorization: Bearer` with a key or token that is good. Nothing was done.',
  },
  'invalid-signature': {
    status: 401,
    title: 'The webhook is not signed as it should be',
    meaning:
      'The headers of the signature are missing or old, or no signature in them is of this body by a secret known here.',
    remedy: 'Sign it by Standard Webhooks with the secret that was agreed on, and the time of now. Nothing was done.',
  },
  forbidden: {
    status: 403,
    title: 'The caller may not do this',
    meaning: 'The key or token is good, but has none of the roles that this route is for.',
    remedy: 'Use a key or token with one of the roles in `detail`. Nothing was done.',
  },
  'sold-out': {
    status: 400,
    title: 'Too few seats are left',
    meaning: 'The show has fewer seats left than were asked for, so none was reserved.',
    remedy: 'Ask for fewer, or later: seats come back when bookings fail.',
  },
  'unknown-show': {
    status: 404,
    title: 'There is no such show',
    meaning: 'No show with this id was ever created.',
    remedy: 'Use a `show_id` that `POST /shows` answered with.',
  },
  'unknown-booking': {
    status: 404,
    title: 'There is no such booking',
    meaning: 'No booking with this id was ever asked for.',
    remedy: 'Use a `booking_id` that `POST /book-tickets` answered with.',
  },
  'unknown-ticket': {
    status: 404,
    title: 'There is no such ticket',
    meaning: 'No ticket with this id was ever confirmed or canceled.',
    remedy: 'Use a `ticket_id` that `POST /tickets-status` reported.',
  },
  'unknown-vip-bundle': {
    status: 404,
    title: 'There is no such VIP bundle',
    meaning: 'No VIP bundle with this id was ever asked for.',
    remedy: 'Use a `vip_bundle_id` that `POST /book-vip-bundle` answered with.',
  },
  'unknown-route': {
    status: 404,
    title: 'There is nothing here',
    meaning: 'The server has no such path.',
    remedy: 'Look at `/docs` for those that it has.',
  },
  'unknown-problem': {
    status: 404,
    title: 'There is no such problem',
    meaning: 'The server never answers with a problem of this name.',
    remedy: 'Follow the `type` of a problem that it answered with.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'This path does not take this method',
    meaning: 'The path exists, but not for this method.',
    remedy: 'Use one of the methods in the `Allow` header.',
  },
  'request-timeout': {
    status: 408,
    title: 'The request came too slowly',
    meaning: 'The headers or the body were not complete in time.',
    remedy: 'Send it again. Nothing was done.',
  },
  'booking-canceled': {
    status: 409,
    title: 'The booking was canceled',
    meaning: 'It was canceled before its seats were reserved, so it holds none.',
    remedy: 'Book again, with another `Idempotency-Key`.',
  },
  'ticket-canceled': {
    status: 409,
    title: 'The ticket is canceled',
    meaning: 'Its money goes back by the sheet `tickets-to-refund`, never a second time by a refund.',
    remedy: 'Nothing.',
  },
  'vip-bundle-succeeded': {
    status: 409,
    title: 'The VIP bundle is complete',
    meaning: 'All of it was booked and confirmed, so there is no process left to stop.',
    remedy: 'Cancel its booking, and the flights and the taxi with whoever sold them.',
  },
  refused: {
    status: 409,
    title: 'The request was refused',
    meaning: 'What it asks for does not fit the state of things. `detail` says why.',
    remedy: 'Look at the state that `detail` speaks of.',
  },
  archived: {
    status: 410,
    title: 'What is asked for is archived',
    meaning: 'The events that a listener would have to be told first are old, and lie in the archive.',
    remedy: 'Listen from where `detail` says. Operators read what is archived with `turnstile journal show`.',
  },
  'body-too-large': {
    status: 413,
    title: 'The body is too large',
    meaning: 'A body may have 1 MiB.',
    remedy: 'Send less. Nothing was done.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The body is not marked as JSON',
    meaning: 'Bodies are `Content-Type: application/json`, in UTF-8, without `Content-Encoding`.',
    remedy: 'Set the header, and send JSON. Nothing was done.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'The Idempotency-Key belongs to another request',
    meaning: 'The key came before, with another body.',
    remedy: 'Make a new key for every new request, and keep it only for repetitions of the same one.',
  },
  'too-many-requests': {
    status: 429,
    title: 'The caller asks too often',
    meaning:
      'One caller may send so many requests in a time; `RateLimit-Policy` says how many. The server has room for others.',
    remedy: 'Send it again after the seconds of `Retry-After`. Nothing was done.',
  },
  'headers-too-large': {
    status: 431,
    title: 'The headers are too large',
    meaning: 'The request line and all headers together may have 16 KiB.',
    remedy: 'Send less. Nothing was done.',
  },
  internal: {
    status: 500,
    title: 'The server made a mistake',
    meaning: 'A fault in the server, which has logged it under the `Correlation-ID` of the answer.',
    remedy: 'Report it with the `Correlation-ID`.',
  },
  unavailable: {
    status: 503,
    title: 'The server cannot work now',
    meaning:
      'The database, the broker or the issuer of tokens is not reachable, no worker is alive, or the server is stopping.',
    remedy: 'Send it again after the seconds of `Retry-After`. Nothing was done.',
  },
  overloaded: {
    status: 503,
    title: 'The server has too much to do',
    meaning: 'Too many messages or requests are waiting already, or too many clients listen.',
    remedy: 'Send it again after the seconds of `Retry-After`. Nothing was done.',
  },
  paused: {
    status: 503,
    title: 'Operations has paused this for a while',
    meaning: 'What the request is about is paused. The request is kept, and is carried out when the pause ends.',
    remedy:
      'Wait, or send it again with the same `Idempotency-Key` after the seconds of `Retry-After`: that does nothing twice.',
  },
  'outcome-unknown': {
    status: 503,
    title: 'The outcome is not known yet',
    meaning: 'The request may have been accepted, but its answer did not come in time. It may still be carried out.',
    remedy: 'Send it again with the same `Idempotency-Key`: that does nothing twice, and gets the answer.',
  },
} as const satisfies Record<string, Explanation>

export type ProblemCode = keyof typeof problemCatalogue

type FieldError = { field: string; message: string }

/** Thrown on the way of a request, and answered as RFC 9457 problem details. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly errors: FieldError[] | undefined
  readonly headers: Record<string, string>

  /** @param detail what went wrong this time: it is shown to the caller */
  constructor(
    code: ProblemCode,
    detail: string,
    more: { errors?: FieldError[]; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(detail, { cause: more.cause })
    this.name = 'Problem'
    this.code = code
    this.errors = more.errors
    this.headers = more.headers ?? (this.status === 503 ? { 'Retry-After': retryAfter(code) } : {})
  }

  get status(): number {
    return problemCatalogue[this.code].status
  }

  document(): ProblemDocument {
    const { title, status } = problemCatalogue[this.code]
    const document = { type: `/problems/${this.code}`, title, status, detail: this.message, error: this.message }
    return this.errors ? { ...document, errors: this.errors } : document
  }
}

export const problemType = 'application/problem+json'

/** What tells of it. */
export function problemAnswer(problem: Problem): Answer {
  const body = JSON.stringify(problem.document())
  const type = { 'Content-Type': problemType, 'Content-Length': lengthOf(body) }
  return { status: problem.status, headers: { ...problem.headers, ...type }, body }
}

/** Seconds. A pause is ended by a person. */
const retryAfter = (code: ProblemCode): string => (code === 'paused' ? '30' : '1')

export const keyReused = (): Problem =>
  new Problem('idempotency-key-reused', 'this Idempotency-Key came before, with another body')

export const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(problemCatalogue, code)

import { deriveId, isUuid } from '../actor/ids.ts'
import type { Address, Meta } from '../engine/ports.ts'
import { isTraceparent } from '../telemetry/traceparent.ts'

/** Headers as they are written. They are read whatever the case, because some clients' libraries change it. */
const names = {
  messageId: 'Nats-Msg-Id',
  /** The id of a message that was published under another one, to get past the broker's dedupe. */
  originalId: 'Message-ID',
  /** It may have been stored before, so long ago that the broker's dedupe does not know it any more. */
  toldAgain: 'Told-Again',
  correlationId: 'Correlation-ID',
  causationId: 'Causation-ID',
  traceparent: 'traceparent',
  askedBy: 'Asked-By',
  replyTo: 'Reply-To',
  requestId: 'Request-ID',
  fingerprint: 'Request-Digest',
  actorKind: 'Actor-Kind',
  actorId: 'Actor-Id',
  turnAt: 'Turn-At',
  /** Of an effect whose first attempt failed before it was published. */
  nextAttemptMs: 'Next-Attempt-Ms',
} as const

export type Headers = Record<string, string>

type Field = keyof typeof names
const fieldOf = new Map(Object.entries(names).map(([field, name]) => [name.toLowerCase(), field as Field]))
const optional = ['causationId', 'traceparent', 'askedBy', 'replyTo', 'requestId', 'fingerprint'] as const

/** @param turnAt of an effect: when the message of its turn was accepted */
export function encodeHeaders(messageId: string, meta: Meta, actor?: Address, turnAt?: string): Headers {
  const headers: Headers = { [names.messageId]: messageId }
  if (isPlain(meta.correlationId)) headers[names.correlationId] = meta.correlationId
  for (const field of optional) {
    const value = meta[field]
    if (isPlain(value)) headers[names[field]] = value
  }
  if (actor) {
    headers[names.actorKind] = actor.kind
    headers[names.actorId] = actor.id
  }
  if (turnAt !== undefined) headers[names.turnAt] = turnAt
  return headers
}

/** The same message once more: another one for the broker, the same for whoever reads it. */
export function renewHeaders(headers: Headers, round: number | string): Headers {
  const id = headers[names.messageId] ?? ''
  return { ...headers, [names.messageId]: `${id}/${round}`, [names.originalId]: id }
}

export const markAttempted = (headers: Headers, nextAttemptMs: number): Headers => ({
  ...headers,
  [names.nextAttemptMs]: String(nextAttemptMs),
})

export const markRepeat = (headers: Headers): Headers => ({ ...headers, [names.toldAgain]: 'true' })

export type Envelope = { messageId: string; meta: Meta; actor: Address }

/**
 * Headers come from anyone. What is missing or makes no sense is filled in, so that every message has an id and a story.
 *
 * @param place stands for the message when it has no id: the same whenever it is read
 */
export function decodeHeaders(headers: Headers, place: () => string): Envelope {
  const given: { [F in Field]?: string } = {}
  for (const name in headers) {
    const field = fieldOf.get(name.toLowerCase())
    const value = headers[name]
    if (field && (field === 'messageId' || isPlain(value))) given[field] = value ?? ''
  }

  const messageId = uuidOf(given.originalId ?? given.messageId, place)
  const meta: Meta = { correlationId: given.correlationId ?? messageId }
  for (const field of optional) {
    const value = given[field]
    if (value !== undefined && makesSense(field, value)) meta[field] = value
  }
  if (meta.replyTo !== undefined) meta.requestId ??= messageId
  const actor = { kind: given.actorKind ?? '', id: given.actorId ?? '' }
  return { messageId, meta, actor }
}

function makesSense(field: (typeof optional)[number], value: string): boolean {
  if (field === 'requestId') return isUuid(value)
  return field !== 'traceparent' || isTraceparent(value)
}

/** How long the broker remembers message ids. */
export const duplicateWindowMs = 2 * 60_000

/**
 * Whether an effect may have been in the queue before. What has an id of its own for the broker was put there once more, and
 * who tells again what may be stored says so: the broker forgets ids with the messages when it is killed. Else a second copy gets in once the first one's id is forgotten, by a new owner, or by an old one that was away: so
 * whatever is stored within half of that time after its turn is the first. The other half is for clocks that differ.
 *
 * @param storedAt milliseconds since 1970
 */
export function mayRepeat(headers: Headers, storedAt: number, windowMs = duplicateWindowMs): boolean {
  const ageMs = storedAt - Date.parse(headers[names.turnAt] ?? '')
  const isMarked = headers[names.originalId] !== undefined || headers[names.toldAgain] !== undefined
  return isMarked || !(ageMs < windowMs / 2)
}

/**
 * How long an effect has to wait for its next attempt, in milliseconds: its first one was made before it came into the queue,
 * so its first delivery stands for that one. Nothing when it may be carried out.
 */
export function waitOf(headers: Headers, attempt: number, nowMs: number): number | undefined {
  const next = headers[names.nextAttemptMs]
  return attempt > 1 || next === undefined ? undefined : Math.max(Number(next) - nowMs || 0, 0)
}

/** Any text can be a message id on NATS; here it is a UUID, made from the text when it is none. */
function uuidOf(id: string | undefined, place: () => string): string {
  if (!id) return deriveId('place', place())
  const lowerCase = id.toLowerCase()
  return isUuid(lowerCase) ? lowerCase : deriveId('msg', id)
}

/** Short, and without anything that could end a header, confuse a log or be refused by the database. */
function isPlain(value: string | undefined): value is string {
  return value !== undefined && /^[\x21-\x7e](?:[\x20-\x7e]{0,248}[\x21-\x7e])?$/.test(value)
}

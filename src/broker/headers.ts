import { deriveId, isUuid } from '../actor/ids.ts'
import type { Address, Meta } from '../engine/ports.ts'

/** Headers as they are written. They are read whatever the case, because some clients' libraries change it. */
const names = {
  messageId: 'Nats-Msg-Id',
  /** The id of a message that was published under another one, to get past the broker's dedupe. */
  originalId: 'Message-ID',
  correlationId: 'Correlation-ID',
  causationId: 'Causation-ID',
  traceparent: 'traceparent',
  replyTo: 'Reply-To',
  requestId: 'Request-ID',
  fingerprint: 'Request-Digest',
  actorKind: 'Actor-Kind',
  actorId: 'Actor-Id',
} as const

export type Headers = Record<string, string>

type Field = keyof typeof names
const fieldOf = new Map(Object.entries(names).map(([field, name]) => [name.toLowerCase(), field as Field]))
const optional = ['causationId', 'traceparent', 'replyTo', 'requestId', 'fingerprint'] as const

export function encodeHeaders(messageId: string, meta: Meta, actor?: Address): Headers {
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
  return headers
}

/** The same message once more: another one for the broker, the same for whoever reads it. */
export function renewHeaders(headers: Headers, round: number | string): Headers {
  const id = headers[names.messageId] ?? ''
  return { ...headers, [names.messageId]: `${id}/${round}`, [names.originalId]: id }
}

export type Envelope = { messageId: string; meta: Meta; actor: Address; isRequeued?: boolean }

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
    if (value !== undefined && (field !== 'requestId' || isUuid(value))) meta[field] = value
  }
  if (meta.replyTo !== undefined) meta.requestId ??= messageId
  const actor = { kind: given.actorKind ?? '', id: given.actorId ?? '' }
  return { messageId, meta, actor, ...(given.originalId !== undefined && { isRequeued: true }) }
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

import { deriveId, isUuid } from '../actor/ids.ts'
import type { Address, Meta } from '../engine/ports.ts'

/** Headers as they are written. They are read whatever the case, because some clients' libraries change it. */
const names = {
  messageId: 'Nats-Msg-Id',
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

export type Envelope = { messageId: string; meta: Meta; actor: Address }

/**
 * Headers come from anyone. What is missing or makes no sense is filled in, so that every message has an id and a story.
 *
 * @param place stands for the message when it has no id: the same whenever it is read
 */
export function decodeHeaders(headers: Headers, place: () => string): Envelope {
  const given: Headers = {}
  for (const name in headers) given[name.toLowerCase()] = headers[name] ?? ''
  const find = (field: keyof typeof names): string | undefined => {
    const value = given[names[field].toLowerCase()]
    return isPlain(value) ? value : undefined
  }

  const messageId = uuidOf(given[names.messageId.toLowerCase()], place)
  const meta: Meta = { correlationId: find('correlationId') ?? messageId }
  for (const field of optional) {
    const value = find(field)
    if (value !== undefined) meta[field] = value
  }
  if (meta.requestId !== undefined && !isUuid(meta.requestId)) delete meta.requestId
  if (meta.replyTo !== undefined) meta.requestId ??= messageId
  return { messageId, meta, actor: { kind: find('actorKind') ?? '', id: find('actorId') ?? '' } }
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

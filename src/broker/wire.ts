import type { Reply } from '../actor/actor.ts'
import { isUuid } from '../actor/ids.ts'
import { publicBody } from '../actor/public-event.ts'
import type { Answer, DeadLetter, Delivery, Outgoing } from '../engine/ports.ts'
import { decodeHeaders, encodeHeaders, type Headers, markAttempted, markRepeat, renewHeaders } from './headers.ts'
import type { Subjects } from './subjects.ts'

/** A message as it is published. */
export type Wire = { subject: string; headers: Headers; body: string | Buffer }

/** A message as a stream has it. */
export type Stored = { subject: string; headers: Headers; payload: Uint8Array; sequence: number; at: number }

export function encodeOutgoing(subjects: Subjects, message: Outgoing): Wire {
  const wire = encode(subjects, message)
  return message.round === undefined ? wire : { ...wire, headers: renewHeaders(wire.headers, message.round) }
}

function encode(subjects: Subjects, message: Outgoing): Wire {
  const { address, messageId, meta } = message
  switch (message.to) {
    case 'mailbox': {
      const { type, ...body } = message.command
      return {
        subject: subjects.command(address, type),
        headers: encodeHeaders(messageId, meta),
        body: JSON.stringify(body),
      }
    }
    case 'events': {
      const body = publicBody(message.event, messageId, message.at, meta.causationId || messageId)
      // Whoever subscribes need not know who asked.
      const { askedBy: _, ...shown } = meta
      return {
        subject: subjects.event(address, message.event.type),
        headers: encodeHeaders(messageId, shown),
        body: JSON.stringify(body),
      }
    }
    case 'effects': {
      const { type, ...body } = message.request
      let headers = encodeHeaders(messageId, meta, address, message.at)
      if (message.mayBeRepeat) headers = markRepeat(headers)
      if (message.nextAttemptMs !== undefined) headers = markAttempted(headers, message.nextAttemptMs)
      return {
        subject: subjects.effect(message.service, type),
        headers,
        body: JSON.stringify(body),
      }
    }
    case 'origin': {
      const { service, type, payload } = message
      return {
        subject: service ? subjects.effect(service, type) : subjects.command(address, type),
        headers: encodeHeaders(messageId, meta, service && address),
        body: Buffer.from(payload),
      }
    }
  }
}

/** @param stream identity of the stream that it is stored in */
export function decodeDelivery(subjects: Subjects, partition: number, stream: string, stored: Stored): Delivery {
  const { subject, headers, payload, sequence, at } = stored
  const { messageId, meta } = decodeHeaders(headers, () => `${stream}/${sequence}/${at}`)
  return { partition, sequence, ...subjects.parseCommand(subject), messageId, meta, headers, payload, at }
}

export function encodeAnswer({ requestId, reply, fingerprint }: Answer): string {
  return JSON.stringify({ request_id: requestId, ...reply, request_digest: fingerprint })
}

/** Nothing when it is no answer: anyone can publish to the subject that answers come to. */
export function decodeAnswer(payload: Uint8Array): Answer | undefined {
  const body = parseObject(payload)
  if (!body || typeof body.request_id !== 'string' || !isUuid(body.request_id)) return undefined
  const reply = replyOf(body)
  if (!reply) return undefined
  const { request_id: requestId, request_digest: fingerprint } = body
  return { requestId, reply, ...(typeof fingerprint === 'string' && { fingerprint }) }
}

/** What subscribers are told of a dead letter. The letter itself is in the store. */
export function encodeDeadLetter({ kind, actorId, type, messageId, code, cause, meta, at }: DeadLetter): string {
  const { correlationId: correlation_id } = meta
  return JSON.stringify({ message_id: messageId, kind, actor_id: actorId, type, code, cause, correlation_id, at })
}

function replyOf({ ok, refused, reason }: Record<string, unknown>): Reply | undefined {
  if (typeof ok === 'object' && ok !== null) return { ok: ok as Record<string, unknown> }
  if (typeof refused === 'string' && typeof reason === 'string') return { refused, reason }
  return undefined
}

function parseObject(payload: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString())
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

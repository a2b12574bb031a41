import { createHash } from 'node:crypto'
import type { Kind } from '../../schemas/index.ts'
import type { Tagged } from '../actor/actor.ts'
import { deriveId } from '../actor/ids.ts'
import type { Meta, OutgoingCommand } from '../engine/ports.ts'

/** What the command needs to know of the request that it is made from. */
export type Origin = {
  /** Method and path as the route has them. */
  route: string
  correlationId: string
  traceparent: string | undefined
  idempotencyKey: string | undefined
  replyTo: string
}

/**
 * The first command to a new actor. With a key, its ids are made from route and key, so that on any process the same
 * key leads to the same actor and the same turn. A key that is a UUIDv7 lends the ids its time.
 */
export function commandToNew(kind: Kind, command: Tagged, origin: Origin, makeId: () => string): OutgoingCommand {
  const { route, correlationId, traceparent, idempotencyKey, replyTo } = origin
  const messageId = idempotencyKey === undefined ? makeId() : deriveId(idempotencyKey, route)
  const meta: Meta = { correlationId, replyTo, requestId: messageId }
  if (traceparent !== undefined) meta.traceparent = traceparent
  if (idempotencyKey !== undefined) meta.fingerprint = fingerprintOf(route, command)
  return { to: 'mailbox', address: { kind, id: deriveId(messageId, kind) }, messageId, command, meta }
}

/**
 * A digest of the request's meaning. Parsing has put its fields into the order of the schema and dropped what nobody
 * reads, so neither makes a difference.
 */
function fingerprintOf(route: string, command: Tagged): string {
  return createHash('sha256')
    .update(`${route}\n${JSON.stringify(command)}`)
    .digest('base64url')
}

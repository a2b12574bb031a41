import { hash } from 'node:crypto'
import type { Tagged } from '../actor/actor.ts'
import { deriveId } from '../actor/ids.ts'
import type { Address, Meta, OutgoingCommand } from '../engine/ports.ts'
import type { NextCommand } from './route.ts'

/** What a command needs to know of the request that it is made from. */
export type Origin = {
  /** Method and path, with the ids that are in it: the same key for another resource is another request. */
  resource: string
  askedBy: string | undefined
  /** With a key it is made from key and resource, so that it is the same on any process. */
  requestId: string
  hasKey: boolean
  correlationId: string
  traceparent: string | undefined
  replyTo: string
}

/**
 * With a key the request's id is made from it; one that is a UUIDv7 lends the id its time. The same key of another caller is
 * another key: else one could come by the answers of others.
 */
export function requestIdOf(
  resource: string,
  key: string | undefined,
  askedBy: string | undefined,
  makeId: () => string,
): string {
  if (key === undefined) return makeId()
  return deriveId(key, askedBy === undefined ? resource : `${resource} by ${askedBy}`)
}

/** The first command to a new actor. Its id is made from the request's: the same key leads to the same actor and turn. */
export function commandToNew(kind: string, command: Tagged, origin: Origin): OutgoingCommand {
  return commandTo({ kind, id: deriveId(origin.requestId, kind) }, command, origin)
}

export function commandTo(address: Address, command: Tagged, origin: Origin): OutgoingCommand {
  const digest = origin.hasKey ? digestOf(origin, command) : undefined
  return outgoing(address, origin.requestId, command, origin, digest)
}

/** Each is told apart by its place in the batch, and bears the digest of the whole of it. */
export function commandsOf(batch: NextCommand[], digest: string, origin: Origin, isFirst: boolean): OutgoingCommand[] {
  return batch.map(([kind, id, command], index) => {
    const address = { kind, id }
    return { ...outgoing(address, deriveId(origin.requestId, index), command, origin, digest), isFirst }
  })
}

/**
 * A digest of the request's meaning. Parsing has put its fields into the order of the schema and dropped what nobody
 * reads, so neither makes a difference.
 */
export function digestOf({ resource }: Origin, meaning: Tagged | NextCommand[]): string {
  return hash('sha256', `${resource}\n${JSON.stringify(meaning)}`, 'base64url')
}

function outgoing(
  address: Address,
  messageId: string,
  command: Tagged,
  { correlationId, traceparent, replyTo, askedBy }: Origin,
  fingerprint: string | undefined,
): OutgoingCommand {
  const meta: Meta = { correlationId, replyTo, requestId: messageId }
  if (traceparent !== undefined) meta.traceparent = traceparent
  if (askedBy !== undefined) meta.askedBy = askedBy
  if (fingerprint !== undefined) meta.fingerprint = fingerprint
  return { to: 'mailbox', address, messageId, command, meta }
}

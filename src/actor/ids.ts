import { hash } from 'node:crypto'

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Whether this is a UUID as we write them: any version, lower case. */
export const isUuid = (value: string): boolean => uuidPattern.test(value)

/**
 * An id made from an id: the same parent and name give the same child, on every machine and at every retry. A child of a
 * UUIDv7 keeps its parent's time, so that what belongs together lies together in the indexes.
 *
 * @param parent an id, or any text that stands for one
 * @param name what the child is to its parent: an index or a word
 */
export function deriveId(parent: string, name: string | number): string {
  // At one go: a third of what a hash object costs.
  const digest = hash('sha256', `${parent}/${name}`, 'hex')
  const isTimed = parent[14] === '7' && isUuid(parent)
  const time = isTimed ? parent.slice(0, 13) : `${digest.slice(0, 8)}-${digest.slice(8, 12)}`
  // The two bits of the RFC 9562 variant: 8, 9, a or b. Version 7 when the time is real, else 8 ("custom").
  const variant = '89ab'[Number.parseInt(digest[15] ?? '0', 16) & 3]
  return `${time}-${isTimed ? 7 : 8}${digest.slice(12, 15)}-${variant}${digest.slice(16, 19)}-${digest.slice(20, 32)}`
}

/** The message that brings an actor the outcome of its effect: a second outcome is a duplicate. */
export const outcomeId = (effectId: string): string => deriveId(effectId, 'outcome')

/** The message that an actor's alarm of this time becomes. */
export const alarmId = (kind: string, id: string, at: string): string => deriveId(id, `${kind}/alarm/${at}`)

/**
 * The partition of an actor: FNV-1a, 32 bits, of the id's bytes, modulo the number of partitions. The same as
 * nats-server's `{{partition(n, token)}}`, so that what a client publishes lands where we look for it.
 */
export const partitionOf = (id: string, partitions: number): number => fnv1a(id) % partitions

/**
 * Of ASCII text, where a character is a byte; 32 bits.
 *
 * @param before the hash of what stands before the text
 */
export function fnv1a(text: string, before = 0x811c9dc5): number {
  let hash = before
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

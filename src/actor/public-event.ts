import type { Tagged } from './actor.ts'

/**
 * The body of a public event, the same on NATS and over HTTP; its name travels beside it.
 *
 * @param id the event's own id
 * @param at when it happened, RFC 3339 in UTC
 * @param causationId the message whose turn it happened in
 */
export function publicBody({ type: _, ...fields }: Tagged, id: string, at: string, causationId: string): object {
  return { header: { id, published_at: at, idempotency_key: causationId }, ...fields }
}

import { type Service, services } from '../../schemas/index.ts'
import type { Requeued } from '../engine/ports.ts'
import type { LetterRecord } from '../store/dead-letter-records.ts'

/**
 * The message that a letter was, on its way back. Nothing when it cannot be published again: its subject had too few words.
 *
 * The letter of an effect bears the service as its kind, and in its headers who asked. A command whose kind happens to be
 * called like a service found no actor, and says so in its code.
 */
export function originOf(letter: LetterRecord): Requeued | undefined {
  const { kind, actorId: id, type, code, headers, payload, messageId, revision: round, meta } = letter
  if ([kind, id, type].includes('')) return undefined
  const common = { to: 'origin', type, payload, messageId, round, meta } as const
  const service = services.find((one): one is Service => one === kind)
  if (service === undefined || code === 'unknown-actor') return { ...common, address: { kind, id } }
  return { ...common, service, address: { kind: headers['Actor-Kind'] ?? '', id } }
}

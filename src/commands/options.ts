import { TurnstileError } from '../errors.ts'
import type { Author } from '../store/audit.ts'
import type { Desk } from './desk.ts'

/** Something in the arguments is wrong. */
export const misused = (message: string): TurnstileError => new TurnstileError('config-invalid', message)

/** Who and why: the options of every act. */
export const authorOptions = { by: { type: 'string' }, reason: { type: 'string' } } as const

/**
 * Whoever does it, by these options.
 *
 * @throws `config-invalid` when the reason names a customer
 */
export function authorOf(
  { user }: Pick<Desk, 'user'>,
  { by, reason }: { by?: string | undefined; reason?: string | undefined },
): Author {
  // The audit log is for ever, and a customer's address must be erasable.
  if (/\S@\S/.test(reason ?? ''))
    throw misused('--reason must not hold an address: name the booking or the ticket instead')
  return { who: by ?? user, reason }
}

export function parseLimit(text: string | undefined, fallback: number): number {
  const limit = text === undefined ? fallback : Number(text)
  if (Number.isInteger(limit) && limit > 0 && limit <= 1_000_000) return limit
  throw misused(`--limit must be a number from 1 to 1000000, not ${JSON.stringify(text)}`)
}

const unitSeconds = { s: 1, m: 60, h: 3_600, d: 86_400 }

/** @returns seconds */
export function parseDuration(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  if (unit === undefined) throw misused(`${name} must be a time like 30s, 10m, 2h or 3d, not ${JSON.stringify(text)}`)
  return Number(count) * unitSeconds[unit as keyof typeof unitSeconds]
}

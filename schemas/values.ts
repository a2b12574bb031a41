import { z } from 'zod'

/** The words that every message is made of. Times are RFC 3339 in UTC, ids are UUIDs in lower case. */

/** Text of a person or a system. Postgres stores neither NUL nor half of a surrogate pair, which JSON can escape. */
export const text = (maxCharacters = 1_000) =>
  z
    .string()
    .min(1)
    .max(maxCharacters)
    .refine((value) => !value.includes('\0'), 'must not contain a NUL character')
    .refine((value) => !/\p{Surrogate}/u.test(value), 'must be well-formed Unicode')

/** Any UUID, also of the old systems' versions. Lower case, because the id decides the partition. */
export const id = z.guid().toLowerCase()

export const email = z.email({ pattern: z.regexes.html5Email }).max(320)

/** Kept in UTC. An offset can carry the last hours of the year 9999 over into one that RFC 3339 cannot write. */
export const timestamp = z.iso
  .datetime({ offset: true })
  .overwrite(toUtc)
  .refine((value) => /^\d{4}-/.test(value), 'must be in the years 0 to 9999')

/** A plain decimal as text, never a float. Leading zeros, signs and exponents are somebody's mistake. */
export const amount = z
  .string()
  .regex(/^(0|[1-9]\d{0,11})(\.\d{1,4})?$/, 'must be a plain non-negative decimal, such as "50.30"')

export const currency = z.string().regex(/^[A-Z]{3}$/, 'must be a currency of three capital letters, such as "EUR"')

export const money = z.object({ amount, currency })

export const ticketsOfBooking = z.int().min(1).max(1_000)
export const ticketsOfShow = z.int().min(1).max(10_000_000)

/** The time so many milliseconds after another. */
export const laterBy = (at: string, ms: number): string => new Date(Date.parse(at) + ms).toISOString()

function toUtc(value: string): string {
  // As we write it ourselves: `2027-01-01T20:00:00.000Z`.
  if (value.length === 24 && value.endsWith('Z')) return value
  const milliseconds = Date.parse(value)
  return Number.isNaN(milliseconds) ? value : new Date(milliseconds).toISOString()
}

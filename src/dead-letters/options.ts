import type { ParseArgsConfig } from 'node:util'
import { isUuid } from '../actor/ids.ts'
import type { Author } from '../store/audit.ts'
import { type LetterFilter, letterStatuses } from '../store/dead-letter-records.ts'
import { type Desk, misused } from './command.ts'

/** Which letters: the options that all commands on several letters share. */
export const filterOptions = {
  id: { type: 'string', multiple: true },
  actor: { type: 'string' },
  kind: { type: 'string' },
  code: { type: 'string' },
  error: { type: 'string' },
  'older-than': { type: 'string' },
  'newer-than': { type: 'string' },
  status: { type: 'string', default: 'open' },
  limit: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const satisfies ParseArgsConfig['options']

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

/** What a command on several letters needs to hold back. */
export const bulkOptions = {
  all: { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
} as const

export const filterHelp = `Which letters (all that is given must hold):
  --id ID              by message id; may be repeated
  --actor KIND.ID      for this actor or, of effects, asked for by it; the id alone will do
  --kind KIND          for actors of this kind, or for this service
  --code CODE          with this code of docs/errors.md; messages that a pause holds back (actor-paused) only by this
  --error TEXT         with this text in the cause, in any case
  --older-than 2h      that failed last before then; s, m, h or d
  --newer-than 10m     that failed last since then
  --status STATUS      open (default), requeued or discarded
  --limit N            at most so many
`

export type FilterValues = {
  id?: string[] | undefined
  actor?: string | undefined
  kind?: string | undefined
  code?: string | undefined
  error?: string | undefined
  'older-than'?: string | undefined
  'newer-than'?: string | undefined
  status: string
}

/** @throws `config-invalid` that names the option */
export function parseFilter(values: FilterValues, ids: string[] = []): LetterFilter {
  const { actor, kind, code, error, status } = values
  const wanted = [...ids, ...(values.id ?? [])].map(parseId)
  const [older, newer] = (['older-than', 'newer-than'] as const).map((name) => parseDuration(`--${name}`, values[name]))
  return {
    ...(wanted.length > 0 && { ids: [...new Set(wanted)] }),
    ...(actor !== undefined && { actor: parseActor(actor) }),
    ...(kind !== undefined && { kind }),
    ...(code !== undefined && { code }),
    ...(error !== undefined && { error }),
    ...(older !== undefined && { olderThanSeconds: older }),
    ...(newer !== undefined && { newerThanSeconds: newer }),
    status: parseStatus(status),
  }
}

export function parseId(text: string): string {
  const id = text.toLowerCase()
  if (isUuid(id)) return id
  throw misused(
    `${JSON.stringify(text)} is no id of a dead letter: it is a UUID, which turnstile dead-letters list shows`,
  )
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

/** An id that is no UUID may have dots in it; a kind never has. */
function parseActor(text: string): { kind?: string; id: string } {
  const dot = text.indexOf('.')
  return dot < 0 ? { id: text } : { kind: text.slice(0, dot), id: text.slice(dot + 1) }
}

function parseStatus(text: string) {
  const status = letterStatuses.find((one) => one === text)
  if (status) return status
  throw misused(`--status must be ${letterStatuses.join(', ')}, not ${JSON.stringify(text)}`)
}

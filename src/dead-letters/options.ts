import type { ParseArgsConfig } from 'node:util'
import { isUuid } from '../actor/ids.ts'
import { misused, parseDuration } from '../commands/options.ts'
import { type LetterFilter, letterStatuses } from '../store/dead-letter-records.ts'

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

/**
 * A column of values as one text, a line for each. `unnest(string_to_array(text, chr(10))::int[], …)` makes rows of such
 * columns, for half of what a JSON document costs Postgres: docs/decisions/0002-one-statement-commits.md. No value may be
 * empty or have a newline in it: numbers, ids, kinds and JSON never do.
 */
export const lines = <T>(rows: readonly T[], value: (row: T) => string | number): string => rows.map(value).join('\n')

/** The line of a value that is missing, for columns whose values are never this: `string_to_array(text, chr(10), none)`. */
export const none = '-'

/** JSON that Postgres can take apart: its text holds neither NUL nor half of a surrogate pair, so U+FFFD stands for them. */
export function json(value: unknown): string {
  const text = JSON.stringify(value)
  // Both are written as escapes; nearly all texts have none, and are spared the slow way.
  return text.includes('\\u') ? JSON.stringify(storable(JSON.parse(text))) : text
}

function storable(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('\0', '\ufffd').replace(/\p{Cs}/gu, '\ufffd')
  if (Array.isArray(value)) return value.map(storable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map((entry) => entry.map(storable) as [string, unknown]))
}

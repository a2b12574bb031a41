/**
 * A column of values as one text, a line for each. `unnest(string_to_array(text, chr(10))::int[], …)` makes rows of such
 * columns, for half of what a JSON document costs Postgres: docs/decisions/0002-one-statement-commits.md. No value may be
 * empty or have a newline in it: numbers, ids, kinds and JSON never do.
 */
export const lines = <T>(rows: readonly T[], value: (row: T) => string | number): string => rows.map(value).join('\n')

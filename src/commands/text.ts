/** Times and texts as people read them. */

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** How long ago, in the largest unit that fits: `17s`, `3h`. */
export function age(at: string, nowMs = Date.now()): string {
  const ms = Math.max(0, nowMs - Date.parse(at))
  const [unit, size] = units.find(([, size]) => ms >= size) ?? ['s', 1_000]
  return `${Math.floor(ms / size)}${unit}`
}

/**
 * Dead letters come from anyone, and a terminal obeys what it is shown: control characters are written as escapes. Of a
 * text of several lines only the line breaks stay.
 */
export function printable(text: string): string {
  return text.replaceAll(/(?!\n)[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

export const oneLine = (text: string): string => printable(text.replaceAll(/\s+/g, ' ').trim())

/** Columns as wide as their widest cell. The last is cut to the width, if there is one, but never below 20 characters. */
export function table(rows: string[][], columns?: number): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0)
  const room = columns === undefined ? Number.POSITIVE_INFINITY : Math.max(20, columns - before)
  const lines = rows.map((row) => {
    const cells = row.slice(0, -1).map((cell, column) => cell.padEnd(widths[column] ?? 0))
    return [...cells, cut(row.at(-1) ?? '', room)].join('  ').trimEnd()
  })
  return `${lines.join('\n')}\n`
}

function cut(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, room - 1)}…`
}

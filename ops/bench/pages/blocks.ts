/**
 * Puts what is generated into a page: each block between `<!-- bench: NAME -->` and `<!-- end -->`. Blocks of which nothing is
 * known stay as they are.
 */
export function renewBlocks(page: string, blocks: Map<string, string>): string {
  return page.replaceAll(
    /(<!-- bench: (\S+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (old, start: string, name: string, end: string) => {
      const block = blocks.get(name)
      return block === undefined ? old : `${start}${block}\n${end}`
    },
  )
}

export function markdownTable(head: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

/** A figure as one reads it: whole from ten on, and thousands apart. Nothing is a dash. */
export function figure(value: number | undefined): string {
  return value === undefined ? '–' : value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 1 : 0 })
}

/** A figure that is known roughly: two digits of it. */
export const about = (value: number): string => figure(Number(value.toPrecision(2)))

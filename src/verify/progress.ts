/** Writes a line over itself while something goes on; to a file or a pipe it writes nothing. */
export function createProgress(out: { isTTY?: boolean; write(text: string): unknown }) {
  let shownMs = 0
  let width = 0
  const write = (text: string) => {
    out.write(`\r${text.padEnd(width)}`)
    width = text.length
  }
  return {
    show(turns: number, total: number): void {
      const nowMs = performance.now()
      if (!out.isTTY || nowMs - shownMs < 200) return
      shownMs = nowMs
      const percent = Math.min(100, Math.floor((turns * 100) / Math.max(total, 1)))
      write(`${percent} %, ${turns.toLocaleString('en')} of ${total.toLocaleString('en')} turns`)
    },
    clear(): void {
      if (width === 0) return
      write('')
      out.write('\r')
    },
  }
}

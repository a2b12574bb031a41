import type { Findings } from './findings.ts'

/** Which positions of a partition's journal have a turn, archived or not: a bit for each. */
export class Positions {
  readonly #partition: number
  readonly #head: number
  readonly #bits: Uint8Array
  #last = 0

  constructor({ id, head }: { id: number; head: number }) {
    this.#partition = id
    this.#head = head
    this.#bits = new Uint8Array(Math.floor(head / 8) + 1)
  }

  note(position: number, findings: Findings): void {
    this.#last = Math.max(this.#last, position)
    const [byte, bit] = [Math.floor(position / 8), 1 << (position % 8)]
    const seen = this.#bits[byte]
    // Past the head, which is found below.
    if (seen === undefined) return
    if ((seen & bit) !== 0) this.#differ(findings, `one turn at position ${position}`, 'several')
    this.#bits[byte] = seen | bit
  }

  /** Called when all turns have been noted. */
  check(findings: Findings): void {
    let position = 1
    while (position <= this.#last && this.#has(position)) position += 1
    if (position <= Math.min(this.#last, this.#head))
      this.#differ(findings, `position ${position}`, `position ${this.#after(position)}`)
    if (this.#last !== this.#head) this.#differ(findings, `${this.#head} as the last, its head`, String(this.#last))
  }

  #has(position: number): boolean {
    return (Number(this.#bits[Math.floor(position / 8)]) & (1 << (position % 8))) !== 0
  }

  #after(position: number): number {
    let next = position + 1
    while (next < this.#last && !this.#has(next)) next += 1
    return next
  }

  #differ(findings: Findings, expected: string, found: string): void {
    findings.differ('positions', { where: `partition ${this.#partition}`, expected, found })
  }
}

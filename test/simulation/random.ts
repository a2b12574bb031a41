/** Chance that comes again: everything that a simulation draws comes from one of these, made from its seed. */
export class Random {
  #a: number
  #b = 0x9e3779b9
  #c = 0x243f6a88
  #d = 1

  constructor(seed: number) {
    this.#a = seed | 0
    this.#c ^= Math.floor(seed / 2 ** 32)
    // Seeds that are neighbours begin alike: by now they are far apart.
    for (let i = 0; i < 12; i++) this.#word()
  }

  /** 0 to 1, without 1. */
  readonly fraction = (): number => this.#word() / 2 ** 32

  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  /** One of these numbers, both ends included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1))
  }

  pick<T>(list: readonly T[]): T {
    return list[this.between(0, list.length - 1)] as T
  }

  uuid(): string {
    const hex = [0, 0, 0, 0].map(() => this.#word().toString(16).padStart(8, '0')).join('')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
  }

  /** The generator sfc32, of the PractRand suite. */
  #word(): number {
    const sum = (this.#a + this.#b + this.#d) | 0
    this.#d = (this.#d + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    this.#c |= 0
    return sum >>> 0
  }
}

import type { Clock } from '../../src/engine/ports.ts'
import type { Time } from './time.ts'

/**
 * A process. All that reaches it from outside (answers, timers, deliveries) comes by `run`: a dead one it never
 * reaches, which is how its memory is lost; one that is paused, as by SIGSTOP, finds it all when it goes on.
 */
export class Host {
  readonly name: string
  readonly clock: Clock
  /** Whether it can crash. */
  readonly isMortal: boolean
  readonly #time: Time
  /** What came while it was paused. */
  #waiting: (() => void)[] | undefined
  /** How much of that is still to come, after it went on. */
  #backlog = 0
  #isDead = false
  /** What the rest of the world does when it dies, such as noticing closed connections. */
  readonly #obituaries: (() => void)[] = []

  constructor(name: string, time: Time, isMortal = true) {
    this.name = name
    this.isMortal = isMortal
    this.#time = time
    this.clock = time.clock((task) => this.run(task))
  }

  get isDead(): boolean {
    return this.#isDead
  }

  get isPaused(): boolean {
    return this.#waiting !== undefined
  }

  readonly run = (task: () => void): void => {
    if (this.#isDead) return
    if (this.#waiting) this.#waiting.push(task)
    else if (this.#backlog > 0) this.#follow(task)
    else task()
  }

  whenDead(then: () => void): void {
    this.#obituaries.push(then)
  }

  die(): void {
    if (this.#isDead) return
    this.#isDead = true
    this.#waiting = undefined
    for (const obituary of this.#obituaries) obituary()
  }

  pause(): void {
    this.#waiting ??= []
  }

  goOn(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    for (const task of waiting) this.#follow(task)
  }

  /** One after the other, in the order in which they came. */
  #follow(task: () => void): void {
    this.#backlog += 1
    this.#time.plan(0, () => {
      this.#backlog -= 1
      if (this.#waiting) this.#waiting.push(task)
      else if (!this.#isDead) task()
    })
  }
}

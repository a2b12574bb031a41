import { setTimeout as sleep } from 'node:timers/promises'
import { type Line, type LineAnswer, openLine } from './http-line.ts'

/** One request to come. `dueMs` is when it was meant to be sent. */
export type Arrival = { dueMs: number; request: string }

export type LinePoolOptions = {
  port: number
  maxConnections: number
  /** Who is not answered so long after sending hangs up; who cannot send so long after they were due leaves. */
  patienceMs: number
  answered(arrival: Arrival, answer: LineAnswer): void
  /** `gave up`, or the code of the socket's error. */
  failed(arrival: Arrival, cause: string): void
}

const pollMs = 10

/** Connections that grow with what is asked at once, and a queue before them when they are all taken. */
export class LinePool {
  readonly #options: LinePoolOptions
  readonly #idle = new Set<Line>()
  readonly #busy = new Map<Line, { arrival: Arrival; sentMs: number }>()
  /** In the order of their times; those before `#first` have left it. */
  #waiting: Arrival[] = []
  #first = 0
  #open = 0
  mostOpen = 0

  constructor(options: LinePoolOptions) {
    this.#options = options
  }

  /** How many have neither an answer nor given up. */
  get unsettled(): number {
    return this.#busy.size + this.#waiting.length - this.#first
  }

  /** Opens so many, and resolves when they are there. */
  async open(connections: number): Promise<void> {
    while (this.#open < connections) this.#connect()
    while (this.#idle.size < this.#open) await sleep(pollMs)
  }

  add(arrival: Arrival): void {
    const [line] = this.#idle
    if (line) {
      this.#idle.delete(line)
      this.#send(line, arrival)
      return
    }
    this.#waiting.push(arrival)
    if (this.#open < this.#options.maxConnections) this.#connect()
  }

  giveUp(nowMs: number): void {
    const { patienceMs, failed } = this.#options
    for (const [line, { arrival, sentMs }] of this.#busy) {
      if (nowMs - sentMs < patienceMs) continue
      line.close()
      this.#busy.delete(line)
      this.#open -= 1
      failed(arrival, 'gave up')
      if (this.#first < this.#waiting.length) this.#connect()
    }
    for (let next = this.#next(); next; next = this.#next()) {
      if (nowMs - next.dueMs < patienceMs) break
      this.#first += 1
      failed(next, 'gave up')
    }
  }

  #connect(): void {
    this.#open += 1
    this.mostOpen = Math.max(this.mostOpen, this.#open)
    const { port, answered, failed } = this.#options
    openLine(port, {
      connected: (line) => this.#goOn(line),
      answered: (answer, line) => {
        const asked = this.#busy.get(line)
        this.#busy.delete(line)
        if (asked) answered(asked.arrival, answer)
        this.#goOn(line)
      },
      broke: (code, line) => {
        this.#open -= 1
        const isIdle = this.#idle.delete(line)
        // One that never came to be takes the next in the queue along: a server that is gone ends the waiting for it.
        const arrival = this.#busy.get(line)?.arrival ?? (isIdle ? undefined : this.#shift())
        this.#busy.delete(line)
        if (arrival) failed(arrival, code)
      },
    })
  }

  #goOn(line: Line): void {
    const arrival = this.#shift()
    if (arrival) this.#send(line, arrival)
    else this.#idle.add(line)
  }

  #send(line: Line, arrival: Arrival): void {
    this.#busy.set(line, { arrival, sentMs: performance.now() })
    line.send(arrival.request)
  }

  #next(): Arrival | undefined {
    return this.#waiting[this.#first]
  }

  #shift(): Arrival | undefined {
    const next = this.#next()
    if (next) this.#first += 1
    if (this.#first > 10_000) {
      this.#waiting = this.#waiting.slice(this.#first)
      this.#first = 0
    }
    return next
  }
}

import type { CommitResult } from '../../src/engine/ports.ts'
import { TurnstileError } from '../../src/errors.ts'
import type { Faults } from './faults.ts'
import type { Host } from './host.ts'

type Query = {
  what: string
  isCommit: boolean
  perform(): Promise<unknown>
  resolve(value: unknown): void
  reject(error: Error): void
  state: 'sent' | 'performed' | 'over'
  result?: unknown
}

/** The other end of all connections. */
type Server = { readonly isDown: boolean }

/** Queries go down in order and are answered in order. When it breaks, nobody knows what became of those under way. */
export class Connection {
  isBroken = false
  readonly #server: Server
  readonly #host: Host
  readonly #faults: Faults
  readonly #deadlineMs: number
  readonly #ended: () => void
  #underWay: Query[] = []
  /** What the server gets, and what it says, is held up: until the deadline of the query that was hit. */
  #isMute = false
  #isDeaf = false
  #lastArrivalMs = 0
  #lastAnswerMs = 0

  /** @param ended called when the server has noticed that it is gone */
  constructor(server: Server, host: Host, faults: Faults, deadlineMs: number, ended = (): void => {}) {
    this.#server = server
    this.#ended = ended
    this.#host = host
    this.#faults = faults
    this.#deadlineMs = deadlineMs
    host.whenDead(() => this.#endSoon())
  }

  run(what: string, isCommit: boolean, perform: () => Promise<unknown>): Promise<unknown> {
    const { time } = this.#faults
    return new Promise((resolve, reject) => {
      const query: Query = { what, isCommit, perform, resolve, reject, state: 'sent' }
      this.#underWay.push(query)
      if (isCommit && this.#underWay.length > 1) this.#faults.sightings.note('several commits under way')
      this.#lastArrivalMs = Math.max(this.#lastArrivalMs, time.nowMs + this.#faults.delayMs())
      time.plan(this.#lastArrivalMs - time.nowMs, () => this.#arrive(query))
    })
  }

  #arrive(query: Query): void {
    const faults = this.#faults
    if (this.isBroken || this.#isDeaf) return
    if (faults.crashes(this.#host, 'crash before an effect')) return
    if (!faults.outlives(this.#host)) {
      this.isBroken = true
      return
    }
    if (this.#server.isDown) this.#break('the database is down')
    else if (faults.happens('cut')) {
      faults.see(this.#host.name, 'connection cut before the effect')
      this.#break('the connection was cut')
    } else if (faults.happens('silence')) {
      this.#isDeaf = true
      this.#fallSilent()
    } else void this.#perform(query)
  }

  async #perform(query: Query): Promise<void> {
    const faults = this.#faults
    query.state = 'performed'
    query.result = await query.perform()
    faults.trace.note(this.#host.name, `${query.what}${outcomeOf(query)}`)
    if (this.isBroken || faults.crashes(this.#host, 'crash between effect and answer')) return
    if (faults.happens('cut')) {
      faults.see(this.#host.name, 'connection cut after the effect')
      this.#break('the connection was cut')
    } else if (!this.#isMute && faults.happens('silence')) {
      this.#fallSilent()
    } else if (!this.#isMute) {
      this.#lastAnswerMs = Math.max(this.#lastAnswerMs, faults.time.nowMs + faults.delayMs())
      faults.time.plan(this.#lastAnswerMs - faults.time.nowMs, () => this.#answer(query))
    }
  }

  #answer(query: Query): void {
    if (this.isBroken) return
    this.#end(query, () => query.resolve(query.result))
    this.#faults.crashSoon(this.#host)
  }

  #fallSilent(): void {
    this.#isMute = true
    this.#faults.see(this.#host.name, 'connection silent')
    this.#faults.time.plan(this.#deadlineMs, () => {
      this.#host.run(() => this.#break(`no answer within ${this.#deadlineMs} ms`))
    })
  }

  #break(cause: string): void {
    if (this.isBroken) return
    this.isBroken = true
    const isLate = this.#faults.happens('late')
    const error = new TurnstileError('database-unavailable', cause)
    for (const query of this.#underWay) {
      if (query.isCommit) this.#noteUnknown(query, isLate)
      if (query.state === 'sent' && isLate) this.#performLate(query)
      const unknown: CommitResult = { outcome: 'unknown', error }
      this.#end(query, () => (query.isCommit ? query.resolve(unknown) : query.reject(error)))
    }
    this.#endSoon()
  }

  /** Not before what was sent down it has gone in. */
  #endSoon(): void {
    const { time, random } = this.#faults
    time.plan(Math.max(0, this.#lastArrivalMs - time.nowMs) + random.between(1, 1_000), this.#ended)
  }

  #noteUnknown({ state, result }: Query, isLate: boolean): void {
    const { sightings } = this.#faults
    if (state === 'performed' && isCommitted(result)) sightings.note('commit unknown, went in')
    if (state === 'sent' && !isLate) sightings.note('commit unknown, did not go in')
  }

  /** A backend can outlive its connection, and run what was pipelined to it when nobody expects that any more. */
  #performLate(query: Query): void {
    const { time, random } = this.#faults
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, time.nowMs + random.between(1, 1_000))
    time.plan(this.#lastArrivalMs - time.nowMs, async () => {
      if (this.#server.isDown) return
      query.result = await query.perform()
      this.#faults.see(this.#host.name, 'late effect of a broken connection')
      this.#faults.trace.note(this.#host.name, `late ${query.what}${outcomeOf(query)}`)
      if (query.isCommit && isCommitted(query.result)) this.#faults.sightings.note('commit unknown, went in afterwards')
    })
  }

  #end(query: Query, settle: () => void): void {
    if (query.state === 'over') return
    query.state = 'over'
    this.#underWay = this.#underWay.filter((other) => other !== query)
    this.#host.run(settle)
  }
}

const isCommitted = (result: unknown): boolean => (result as CommitResult).outcome === 'committed'

const outcomeOf = ({ isCommit, result }: Query): string => (isCommit ? `: ${(result as CommitResult).outcome}` : '')

import type { Reply } from '../actor/actor.ts'
import { partitionOf } from '../actor/ids.ts'
import type { Log, OutgoingCommand, Reads, Requests } from '../engine/ports.ts'
import { keyReused, Problem } from './problems.ts'

type Waiter = {
  fingerprint: string | undefined
  deadlineMs: number
  resolve(reply: Reply): void
  reject(error: unknown): void
}

/** A command that is out, and everybody who waits for its answer. */
type Question = {
  command: OutgoingCommand
  waiters: Waiter[]
  askedAtMs: number
  lookUpAtMs: number
  lookUpDelayMs: number
}

export type AskerOptions = {
  requests: Requests
  reads: Pick<Reads, 'findTurns'>
  partitions: number
  timeoutMs: number
  /** Told of each answer how long it took. */
  answered(waitedMs: number, nowMs: number): void
  log: Log
}

const tickMs = 50
/** An answer over the broker takes milliseconds; one that is not there by then may have got lost on the way. */
const firstLookUpMs = 1_000
const maxLookUpMs = 1_000
const maxTurnsPerLookUp = 500
const maxSendMs = 2_000

/**
 * Sends commands and waits for their answers.
 *
 * An answer comes over the broker, at most once. When it does not come, or when it may have gone to another process
 * because the command was there before, it is looked up in the journal. Who asks for what is being asked already waits
 * with the others. One timer serves all deadlines and look-ups.
 */
export class Asker {
  readonly #options: AskerOptions
  readonly #questions = new Map<string, Question>()
  #waiting = 0
  #timer: NodeJS.Timeout | undefined
  #isLookingUp = false

  constructor(options: AskerOptions) {
    this.#options = options
    options.requests.onAnswer(({ requestId, reply, fingerprint }) => this.#answer(requestId, reply, fingerprint))
  }

  /** How many wait for an answer. */
  get waiting(): number {
    return this.#waiting
  }

  /**
   * @throws what `Requests.send` rejects with, or a Problem: `outcome-unknown` when time is up, and
   *   `idempotency-key-reused` when the answer belongs to a request with another fingerprint
   */
  ask(command: OutgoingCommand): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const { fingerprint } = command.meta
      const deadlineMs = performance.now() + this.#options.timeoutMs
      const waiter: Waiter = { fingerprint, deadlineMs, resolve, reject }
      this.#waiting++
      this.#timer ??= setInterval(() => this.#tick(), tickMs)
      const question = this.#questions.get(command.messageId)
      if (question) question.waiters.push(waiter)
      else void this.#send(command, waiter)
    })
  }

  /** Ends all waiting. */
  close(): void {
    for (const question of this.#questions.values()) this.#fail(question, outcomeUnknown(question))
    clearInterval(this.#timer)
  }

  async #send(command: OutgoingCommand, waiter: Waiter): Promise<void> {
    const askedAtMs = performance.now()
    const lookUpAtMs = askedAtMs + firstLookUpMs
    const question: Question = { command, waiters: [waiter], askedAtMs, lookUpAtMs, lookUpDelayMs: tickMs }
    this.#questions.set(command.messageId, question)
    try {
      const { requests, timeoutMs } = this.#options
      const { duplicate } = await requests.send(command, Math.min(timeoutMs, maxSendMs))
      if (duplicate) question.lookUpAtMs = 0
    } catch (error) {
      this.#fail(question, error)
    }
  }

  #answer(requestId: string, reply: Reply, fingerprint: string | undefined): void {
    const question = this.#questions.get(requestId)
    if (!question) return
    const nowMs = performance.now()
    this.#options.answered(nowMs - question.askedAtMs, nowMs)
    for (const waiter of this.#remove(question)) {
      // Without a fingerprint it was no HTTP request, and no key can have been reused.
      if (fingerprint === undefined || fingerprint === waiter.fingerprint) waiter.resolve(reply)
      else waiter.reject(keyReused())
    }
  }

  #fail(question: Question, error: unknown): void {
    for (const waiter of this.#remove(question)) waiter.reject(error)
  }

  #remove(question: Question): Waiter[] {
    if (this.#questions.get(question.command.messageId) !== question) return []
    this.#questions.delete(question.command.messageId)
    this.#waiting -= question.waiters.length
    return question.waiters
  }

  #tick(): void {
    if (this.#questions.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
      return
    }
    const nowMs = performance.now()
    for (const question of this.#questions.values()) this.#expire(question, nowMs)
    if (!this.#isLookingUp) void this.#lookUp(nowMs)
  }

  #expire(question: Question, nowMs: number): void {
    // All wait equally long, so the first who came is the first to go.
    const late = question.waiters.findIndex(({ deadlineMs }) => deadlineMs > nowMs)
    if (late === 0) return
    if (late === -1) {
      this.#fail(question, outcomeUnknown(question))
      return
    }
    this.#waiting -= late
    for (const waiter of question.waiters.splice(0, late)) waiter.reject(outcomeUnknown(question))
  }

  async #lookUp(nowMs: number): Promise<void> {
    const due = [...this.#questions.values()]
      .filter(({ lookUpAtMs }) => lookUpAtMs <= nowMs)
      .slice(0, maxTurnsPerLookUp)
    if (due.length === 0) return
    for (const question of due) {
      question.lookUpDelayMs = Math.min(question.lookUpDelayMs * 2, maxLookUpMs)
      question.lookUpAtMs = nowMs + question.lookUpDelayMs
    }
    this.#isLookingUp = true
    try {
      const turns = await this.#options.reads.findTurns(due.map(({ command }) => this.#keyOf(command)))
      for (const { messageId, reply, fingerprint } of turns) {
        if (reply) this.#answer(messageId, reply, fingerprint)
      }
    } catch (error) {
      this.#options.log.warn(
        { err: error, questions: due.length },
        'answers could not be looked up; tried again shortly',
      )
    } finally {
      this.#isLookingUp = false
    }
  }

  #keyOf({ address, messageId }: OutgoingCommand) {
    return { ...address, partition: partitionOf(address.id, this.#options.partitions), messageId }
  }
}

function outcomeUnknown({ command: { command, address } }: Question): Problem {
  const what = `${command.type} to ${address.kind} ${address.id}`
  return new Problem('outcome-unknown', `${what} was not answered in time; it may still be carried out`)
}

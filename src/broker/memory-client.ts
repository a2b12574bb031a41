import type { Answer, DeadLetter, Outgoing, OutgoingCommand, Publisher, Requests } from '../engine/ports.ts'
import { TurnstileError } from '../errors.ts'
import type { MemoryBroker } from './memory.ts'
import { decodeAnswer, encodeAnswer, encodeDeadLetter, encodeOutgoing, type Wire } from './wire.ts'

const retryMs = 100

/** What one process publishes and asks. */
export class MemoryClient implements Publisher, Requests {
  readonly replyTo: string
  readonly #broker: MemoryBroker
  readonly #stopListening: () => void
  /** Called when the process closes: what it waits for never comes. */
  readonly #waiting = new Set<(closed: TurnstileError) => void>()
  #handler: (answer: Answer) => void = () => {}
  #isClosed = false

  constructor(broker: MemoryBroker, inbox: string) {
    this.#broker = broker
    this.replyTo = inbox
    this.#stopListening = broker.subscribe(({ subject, body }) => {
      const answer = subject === inbox ? decodeAnswer(Buffer.from(body)) : undefined
      if (answer) this.#handler(answer)
    })
  }

  get isConnected(): boolean {
    return !this.#isClosed
  }

  publish(messages: Outgoing[]): Promise<void> {
    const wires = messages.map((message) => encodeOutgoing(this.#broker.subjects, message))
    return this.#untilClosed((resolve) => this.#attempt(wires, resolve))
  }

  send(command: OutgoingCommand): Promise<{ duplicate: boolean }> {
    const wire = encodeOutgoing(this.#broker.subjects, command)
    return this.#untilClosed((resolve, reject) => {
      this.#broker.options.schedule(0, () => {
        const stored = this.#broker.publish(wire)
        if (stored) resolve(stored)
        else reject(new TurnstileError('mailbox-full', 'the mailbox stream is full'))
      })
    })
  }

  onAnswer(handler: (answer: Answer) => void): void {
    this.#handler = handler
  }

  reply(subject: string, answer: Answer): void {
    if (this.#isClosed || !this.#broker.subjects.takesReplies(subject)) return
    this.#broker.tell({ subject, headers: {}, body: encodeAnswer(answer) })
  }

  announce(letter: DeadLetter): void {
    if (this.#isClosed) return
    const subject = this.#broker.subjects.deadLetter(letter.kind)
    this.#broker.tell({ subject, headers: {}, body: encodeDeadLetter(letter) })
  }

  close(): void {
    this.#isClosed = true
    this.#stopListening()
    for (const reject of this.#waiting) reject(closed())
    this.#waiting.clear()
  }

  /** What finds no room is tried again, until it does. */
  #attempt(wires: Wire[], resolve: () => void, delayMs = 0): void {
    this.#broker.options.schedule(delayMs, () => {
      if (this.#isClosed) return
      const refused = wires.filter((wire) => this.#broker.publish(wire) === undefined)
      if (refused.length === 0) resolve()
      else this.#attempt(refused, resolve, retryMs)
    })
  }

  #untilClosed<T>(start: (resolve: (value: T) => void, reject: (error: Error) => void) => void): Promise<T> {
    if (this.#isClosed) return Promise.reject(closed())
    return new Promise<T>((resolve, reject) => {
      const end = (action: () => void): void => {
        this.#waiting.delete(reject)
        action()
      }
      this.#waiting.add(reject)
      start(
        (value) => end(() => resolve(value)),
        (error) => end(() => reject(error)),
      )
    })
  }
}

const closed = (): TurnstileError => new TurnstileError('broker-unavailable', 'the broker is closed')

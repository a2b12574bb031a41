import type { Answer, OutgoingCommand, Requests } from '../engine/ports.ts'
import type { Tracer } from '../engine/trace-ports.ts'
import { TurnstileError } from '../errors.ts'
import type { Acks } from './acks.ts'
import type { Connection } from './connection.ts'
import type { Subjects } from './subjects.ts'
import { decodeAnswer, encodeOutgoing } from './wire.ts'

/** Requests of this process: commands out, and their answers back, on one inbox for all. */
export class NatsRequests implements Requests {
  readonly replyTo: string
  readonly #connection: Connection
  readonly #acks: Acks
  readonly #subjects: Subjects
  readonly #tracer: Pick<Tracer, 'publish'>
  #handler: (answer: Answer) => void = () => {}

  constructor(connection: Connection, acks: Acks, subjects: Subjects, tracer: Pick<Tracer, 'publish'>) {
    this.#connection = connection
    this.replyTo = connection.createInbox()
    this.#acks = acks
    this.#subjects = subjects
    this.#tracer = tracer
    connection.subscribe(this.replyTo, ({ data }) => {
      const answer = decodeAnswer(data)
      if (answer) this.answer(answer)
    })
  }

  answer(answer: Answer): void {
    this.#handler(answer)
  }

  get isConnected(): boolean {
    return this.#connection.isConnected
  }

  async send(command: OutgoingCommand, timeoutMs: number): Promise<{ duplicate: boolean }> {
    this.#connection.check()
    const wire = encodeOutgoing(this.#subjects, command)
    const span = this.#tracer.publish(command, wire.subject)
    const stored = await new Promise<{ duplicate: boolean } | TurnstileError>((settle) => {
      this.#acks.publish(wire, timeoutMs, settle)
    })
    if (stored instanceof TurnstileError) throw stored
    span?.end()
    return stored
  }

  onAnswer(handler: (answer: Answer) => void): void {
    this.#handler = handler
  }
}

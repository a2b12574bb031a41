import { partitionOf } from '../actor/ids.ts'
import { noPayload } from './batch.ts'
import type { Engine } from './engine.ts'
import type { Answer, Deliver, Delivery, OutgoingCommand, Publisher, Requests } from './ports.ts'

export type ShortWayOptions = {
  engine: Pick<Engine, 'handOver'>
  /** The broker's way. */
  requests: Requests
  publisher: Pick<Publisher, 'publish'>
  partitions: number
  /** Milliseconds since 1970. */
  nowMs(): number
  /** Calls back when all that comes at the same moment has come: in one commit it costs a part of what it costs alone. */
  gathered(task: () => void): void
}

/**
 * Commands of this process to actors whose partition it owns go straight to its engine: the broker would store them only to
 * hand them back. Nothing is promised of them before they are committed, so nothing is lost with the process.
 *
 * Everything else takes the broker's way: what the engine does not take or gives back, under the same id, and what has an
 * idempotency key that may have been used before, and so may be a repeat. The broker sees that for nothing, where here a commit would have to fail first.
 */
export class ShortWay implements Requests {
  readonly #options: ShortWayOptions
  #gathering: (() => void)[] = []

  constructor(options: ShortWayOptions) {
    this.#options = options
  }

  get replyTo(): string {
    return this.#options.requests.replyTo
  }

  get isConnected(): boolean {
    return this.#options.requests.isConnected
  }

  send(command: OutgoingCommand, timeoutMs: number): Promise<{ duplicate: boolean }> {
    const { requests, engine } = this.#options
    if (command.meta.fingerprint !== undefined && !command.isFirst) return requests.send(command, timeoutMs)
    return new Promise((resolve, reject) => {
      const giveBack = (): void => void requests.send(command, timeoutMs).then(resolve, reject)
      this.#gather(() => {
        if (engine.handOver({ ...this.#deliveryOf(command), giveBack })) resolve({ duplicate: false })
        else giveBack()
      })
    })
  }

  readonly deliver: Deliver = (command, mayBeRepeat) => {
    const { publisher, engine } = this.#options
    if (mayBeRepeat) return publisher.publish([command])
    return new Promise((committed, reject) => {
      const giveBack = (): void => void publisher.publish([command]).then(committed, reject)
      this.#gather(() => {
        if (!engine.handOver({ ...this.#deliveryOf(command), giveBack, committed })) giveBack()
      })
    })
  }

  onAnswer(handler: (answer: Answer) => void): void {
    this.#options.requests.onAnswer(handler)
  }

  #gather(handOver: () => void): void {
    this.#gathering.push(handOver)
    if (this.#gathering.length > 1) return
    this.#options.gathered(() => {
      for (const next of this.#gathering.splice(0)) next()
    })
  }

  #deliveryOf({ address, messageId, command, meta }: OutgoingCommand): Delivery {
    const { partitions, nowMs } = this.#options
    return {
      partition: partitionOf(address.id, partitions),
      sequence: 0,
      to: address,
      type: command.type,
      messageId,
      meta,
      headers: {},
      payload: noPayload,
      command,
      at: nowMs(),
    }
  }
}

import type { EffectQueue, Mailboxes, Publisher, Requests } from '../engine/ports.ts'

/** Everything that one process needs of the broker. */
export type Broker = {
  mailboxes: Mailboxes
  publisher: Publisher
  requests: Requests
  effects: EffectQueue
  readonly isConnected: boolean
  /** What is being published is given up: whoever takes over publishes it again. */
  close(): Promise<void>
}

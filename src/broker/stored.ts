import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import type { Log, StreamName } from '../engine/ports.ts'
import { openConnection } from './connection.ts'
import type { NatsSecurity } from './security.ts'
import { isNotFound } from './streams.ts'
import { Subjects } from './subjects.ts'

/** A message as it lies in a stream. */
export type StoredMessage = {
  sequence: number
  /** Of a command. */
  partition: number
  headers: string
  payload: Uint8Array
}

export type StoredMessages = Awaited<ReturnType<typeof openStoredMessages>>

/** How many are asked for at once: one by one, the way there and back would be most of it. */
const pageMessages = 256

type StoredOptions = { url: string; security: NatsSecurity; prefix: string; partitions: number; log: Log }

/**
 * What the streams hold, for whoever has to look through all of it and take some of it out. It needs no consumer, which a work
 * queue would not allow.
 *
 * @throws `broker-unavailable`
 */
export async function openStoredMessages({ url, security, prefix, partitions, log }: StoredOptions) {
  const connection = await openConnection(url, security, prefix, log)
  const subjects = new Subjects(prefix, partitions)
  const manager = await jetstreamManager(connection.nats, { checkAPI: false })
  const names = { mailbox: subjects.mailboxStream, effects: subjects.effectStream, events: subjects.eventStream }
  return {
    /** Page by page, oldest first, up to what is the last one now. @yields with how many there were to look at */
    async *read(stream: StreamName): AsyncGenerator<StoredMessage[]> {
      const state = await stateOf(manager, names[stream])
      // A stream that never had a message says that its first one is 0.
      for (let first = Math.max(state?.first_seq ?? 1, 1); state && first <= state.last_seq; first += pageMessages) {
        const count = Math.min(pageMessages, state.last_seq - first + 1)
        const sequences = Array.from({ length: count }, (_, index) => first + index)
        const page = await Promise.all(sequences.map((sequence) => messageAt(manager, names[stream], sequence)))
        yield page.filter((message) => message !== undefined)
      }
    },
    /** Which life of the mailbox stream it is that cursors must count in. */
    async mailboxStream(): Promise<string | undefined> {
      try {
        return (await manager.streams.info(names.mailbox)).created
      } catch (error) {
        if (isNotFound(error)) return undefined
        throw error
      }
    },
    /** For good: the server writes over the place where it lay. */
    remove: async (stream: StreamName, sequence: number): Promise<void> => {
      await manager.streams.deleteMessage(names[stream], sequence, true)
    },
    /** Has workers take up at once the partitions that were taken from them. */
    offer: (): void => connection.tell(subjects.offers, ''),
    close: () => connection.close(),
  }
}

async function stateOf(manager: JetStreamManager, stream: string) {
  try {
    return (await manager.streams.info(stream)).state
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

async function messageAt(
  manager: JetStreamManager,
  stream: string,
  sequence: number,
): Promise<StoredMessage | undefined> {
  const message = await manager.streams.getMessage(stream, { seq: sequence })
  if (!message) return undefined
  const headers = [...(message.header ?? [])].map(([name, values]) => `${name}: ${values.join(', ')}`).join('\n')
  return { sequence, partition: Number(message.subject.split('.')[2]), headers, payload: message.data }
}

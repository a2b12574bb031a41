import { randomUUID } from 'node:crypto'
import { testPartitions } from '../../test/support/nats.ts'
import { until } from '../../test/support/wait.ts'
import { partitionOf } from '../actor/ids.ts'
import type { Delivery, Log, Mailbox, Mailboxes, Outgoing, OutgoingCommand } from '../engine/ports.ts'

export const partitions = testPartitions

export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** The id of some actor whose mailbox is in the partition. */
export function actorIn(partition: number): string {
  for (;;) {
    const id = randomUUID()
    if (partitionOf(id, partitions) === partition) return id
  }
}

export function commandTo(id: string, fields: object = {}, meta: Partial<Outgoing['meta']> = {}): OutgoingCommand {
  return {
    to: 'mailbox',
    address: { kind: 'booking', id },
    messageId: randomUUID(),
    command: { type: 'DeadNationAccepted', ...fields },
    meta: { correlationId: randomUUID(), ...meta },
  }
}

export const commandsTo = (id: string, count: number): OutgoingCommand[] =>
  Array.from({ length: count }, (_, index) => commandTo(id, { index }))

export function effectOf(fields: object = {}): Outgoing & { to: 'effects' } {
  return {
    to: 'effects',
    address: { kind: 'booking', id: randomUUID() },
    messageId: randomUUID(),
    service: 'dead-nation',
    request: { type: 'BookTickets', ...fields },
    at: new Date().toISOString(),
    meta: { correlationId: randomUUID() },
  }
}

export const idsOf = (messages: { messageId: string }[]): string[] => messages.map(({ messageId }) => messageId)

export const bodyOf = ({ payload }: { payload: Uint8Array }): unknown => JSON.parse(Buffer.from(payload).toString())

/** A mailbox with what it told. */
export type Reader = {
  mailbox: Mailbox
  lost: Error[]
  readonly readies: number
  /** Waits for so many deliveries, and acknowledges them. */
  takes(count: number): Promise<Delivery[]>
}

export async function openReader(mailboxes: Mailboxes, partition: number, epoch = 1, cursor = 0): Promise<Reader> {
  const lost: Error[] = []
  let readies = 0
  const ready = (): void => {
    readies += 1
  }
  const events = { ready, lost: (cause: Error) => void lost.push(cause) }
  const mailbox = await mailboxes.open(partition, epoch, cursor, events)
  return {
    mailbox,
    lost,
    get readies() {
      return readies
    },
    async takes(count) {
      const taken: Delivery[] = []
      await until(`${count} deliveries of partition ${partition}`, () => {
        taken.push(...mailbox.take(count - taken.length))
        return taken.length === count
      })
      mailbox.acknowledge(taken.at(-1)?.sequence ?? 0)
      return taken
    },
  }
}

import { jetstream } from '@nats-io/jetstream'
import { connect, headers } from '@nats-io/transport-node'

export type OutsideCommand = { kind: string; id: string; name: string; body: object; messageId?: string }

/** An outside client that publishes commands the way `nats pub` does, on the subjects of the contract. */
export async function connectOutside(url: string) {
  const connection = await connect({ servers: url })
  const client = jetstream(connection)
  return {
    connection,
    /** @returns whether the broker had seen the message id lately */
    async publish(command: OutsideCommand): Promise<boolean> {
      const options = command.messageId === undefined ? {} : { msgID: command.messageId }
      return (await client.publish(subjectOf(command), JSON.stringify(command.body), options)).duplicate
    },
    /** Publishes without waiting to be told that it is stored. */
    fire(command: OutsideCommand): void {
      const fields = headers()
      if (command.messageId !== undefined) fields.set('Nats-Msg-Id', command.messageId)
      connection.publish(subjectOf(command), JSON.stringify(command.body), { headers: fields })
    },
    close: () => connection.close(),
  }
}

const subjectOf = ({ kind, id, name }: OutsideCommand): string => `turnstile.cmd.${kind}.${id}.${name}`

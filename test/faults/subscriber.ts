import { setTimeout as sleep } from 'node:timers/promises'
import { AckPolicy, type Consumer, DeliverPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'

const name = 'outside'
const stream = 'turnstile-events'
const pauseMs = 200

/**
 * Somebody outside who wants to hear every public event, with a durable consumer of its own, which it makes anew when the
 * broker has lost it.
 *
 * @returns the ids of the events that it has heard
 */
export async function startSubscriber(url: string): Promise<{ heard: Set<string>; close(): Promise<void> }> {
  const connection = await connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: pauseMs })
  const heard = new Set<string>()
  let isClosing = false

  const find = async (): Promise<Consumer> => {
    const manager = await jetstreamManager(connection)
    const all = { deliver_policy: DeliverPolicy.All, ack_policy: AckPolicy.Explicit }
    await manager.consumers.add(stream, { durable_name: name, ...all })
    return jetstream(connection).consumers.get(stream, name)
  }
  const listen = async (): Promise<void> => {
    const consumer = await find()
    while (!isClosing) {
      for await (const message of await consumer.fetch({ max_messages: 500, expires: 1_000 })) {
        heard.add(message.json<{ header: { id: string } }>().header.id)
        message.ack()
      }
      // What has become of a consumer is not heard of otherwise.
      await consumer.info()
    }
  }
  const listening = (async () => {
    while (!isClosing) {
      await listen().catch(() => undefined)
      await sleep(pauseMs)
    }
  })()
  return {
    heard,
    async close() {
      isClosing = true
      await listening
      await connection.close()
    },
  }
}

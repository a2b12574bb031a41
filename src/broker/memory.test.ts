import { brokerFeatures } from './broker.features.ts'
import { partitions } from './broker.fixtures.ts'
import type { Broker } from './broker.ts'
import { MemoryBroker, type PlainMessage } from './memory.ts'

brokerFeatures('MemoryBroker', async () => {
  const prefix = 'test'
  const timers = new Set<NodeJS.Timeout>()
  const schedule = (delayMs: number, task: () => void): void => void timers.add(setTimeout(task, delayMs))
  const memory = new MemoryBroker({ prefix, partitions, nowMs: Date.now, schedule })
  const brokers: Broker[] = []
  const connect = async (): Promise<Broker> => {
    const broker = memory.connect()
    brokers.push(broker)
    return broker
  }
  return {
    prefix,
    broker: await connect(),
    connect,
    publish: async (subject, headers = {}, body = '') => void memory.publish({ subject, headers, body }),
    subscribe: async (below) => {
      const seen: PlainMessage[] = []
      memory.subscribe((message) => {
        if (message.subject.startsWith(`${below}.`)) seen.push(message)
      })
      return seen
    },
    limitMailboxes: async (messages) => {
      memory.mailboxStream.maxMessages = messages
    },
    close: async () => {
      await Promise.all(brokers.map((broker) => broker.close()))
      for (const timer of timers) clearTimeout(timer)
    },
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
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
      memory.streams.mailbox.maxMessages = messages
    },
    close: async () => {
      await Promise.all(brokers.map((broker) => broker.close()))
      for (const timer of timers) clearTimeout(timer)
    },
  }
})

test('what is in hand when the queue is lost does not come back, and what is published again does', async () => {
  let nowMs = 0
  const tasks: { atMs: number; task: () => void }[] = []
  const schedule = (delayMs: number, task: () => void): void => void tasks.push({ atMs: nowMs + delayMs, task })
  const memory = new MemoryBroker({ prefix: 'test', partitions, nowMs: () => nowMs, schedule })
  const pass = async (ms: number): Promise<void> => {
    nowMs += ms
    for (let next = due(); next; next = due()) {
      next.task()
      await new Promise(setImmediate)
    }
  }
  const due = () => {
    const index = tasks.findIndex(({ atMs }) => atMs <= nowMs)
    return index < 0 ? undefined : tasks.splice(index, 1)[0]
  }
  const handed: string[] = []
  for (const process of ['one', 'two']) {
    await memory
      .connect()
      .effects.consume('files', 5, async ({ messageId }) => void handed.push(`${process} ${messageId}`))
  }
  const publish = (id: string): void => {
    memory.publish({ subject: 'test.fx.files.StoreFile', headers: { 'Nats-Msg-Id': id }, body: '{}' })
  }
  const [first, second] = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002']
  publish(first)
  publish(second)
  await pass(1)
  assert.deepEqual(handed, [`one ${first}`, `two ${second}`], 'each process gets its share')
  memory.streams.effects.wipe()
  await pass(memory.effects.ackWaitMs * 2)
  assert.equal(handed.length, 2)
  publish(second)
  await pass(1)
  assert.equal(handed.length, 3)
})

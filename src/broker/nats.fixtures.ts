import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { type NatsServer, startNats } from '../../ops/sandbox/nats.ts'
import { freePort } from '../../ops/sandbox/ports.ts'
import { deleteStreams, uniquePrefix } from '../../test/support/nats.ts'
import { noTracer } from '../engine/trace-ports.ts'
import type { BrokerHarness } from './broker.features.ts'
import { partitions, silent } from './broker.fixtures.ts'
import type { Broker } from './broker.ts'
import type { PlainMessage } from './memory.ts'
import { openBroker } from './nats.ts'
import { readHeaders, toNatsHeaders } from './nats-headers.ts'
import { Subjects } from './subjects.ts'

export type NatsHarness = BrokerHarness & {
  subjects: Subjects
  /** An outside client. */
  connection: NatsConnection
  manager: JetStreamManager
}

/** A broker of its own on that server. */
export async function openOn(url: string): Promise<NatsHarness> {
  const prefix = uniquePrefix()
  const subjects = new Subjects(prefix, partitions)
  const connection = await connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 100 })
  const manager = await jetstreamManager(connection)
  const brokers: Broker[] = []
  const open = async (): Promise<Broker> => {
    const broker = await openBroker({
      url,
      prefix,
      partitions,
      eventDays: 7,
      eventMib: 0,
      streamReplicas: 1,
      tracer: noTracer,
      log: silent,
    })
    brokers.push(broker)
    return broker
  }
  return {
    prefix,
    subjects,
    connection,
    manager,
    broker: await open(),
    connect: open,
    publish: async (subject, headers = {}, body = '') => {
      await connection.request(subject, body, { timeout: 5_000, headers: toNatsHeaders(headers) })
    },
    subscribe: async (below) => {
      const seen: PlainMessage[] = []
      connection.subscribe(`${below}.>`, {
        callback: (_error, message) => {
          const { subject, data } = message
          seen.push({ subject, headers: readHeaders(message), body: Buffer.from(data).toString() })
        },
      })
      await connection.flush()
      return seen
    },
    limitMailboxes: async (messages) => {
      await manager.streams.update(subjects.mailboxStream, { max_msgs: messages })
    },
    close: async () => {
      await Promise.all(brokers.map((broker) => broker.close()))
      await deleteStreams(connection, prefix)
      await connection.close()
    },
  }
}

/** A server of a test's own, to be killed and started again. */
export type OwnNats = NatsServer & { folder: string; remove(): Promise<void> }

export async function startOwnNats(binary?: string): Promise<OwnNats> {
  const folder = mkdtempSync(path.join(process.env.TEST_FOLDER ?? tmpdir(), 'nats-'))
  const before = process.env.NATS_SERVER_BIN
  if (binary !== undefined) process.env.NATS_SERVER_BIN = binary
  try {
    const server = await startNats({
      folder,
      port: await freePort(),
      logFile: path.join(folder, 'nats.log'),
      prefix: '*',
      partitions,
    })
    const remove = async (): Promise<void> => {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    }
    return { ...server, folder, remove }
  } finally {
    if (before === undefined) delete process.env.NATS_SERVER_BIN
    else process.env.NATS_SERVER_BIN = before
  }
}

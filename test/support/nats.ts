import { randomBytes } from 'node:crypto'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { testServer } from './environment.ts'

/** By how many the server that test files share maps commands: enough for each test of a file to have some of its own. */
export const testPartitions = 64

/** A subject prefix of the test file's own, so that all files can share one server. */
export function uniquePrefix(): string {
  return `test-${randomBytes(6).toString('hex')}`
}

export function connectTestNats(): Promise<NatsConnection> {
  return connect({ servers: testServer('TEST_NATS_URL') })
}

/** Deletes the streams of whatever lies below the prefix. */
export async function deleteStreams(connection: NatsConnection, prefix: string): Promise<void> {
  const manager = await jetstreamManager(connection)
  const streams = await manager.streams.list(`${prefix}.>`).next()
  for (const { config } of streams) await manager.streams.delete(config.name)
}

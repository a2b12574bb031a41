import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { jetstreamManager } from '@nats-io/jetstream'
import { connectTestNats, deleteStreams, testPartitions, uniquePrefix } from '../../test/support/nats.ts'

const connection = await connectTestNats()
const prefix = uniquePrefix()

after(async () => {
  await deleteStreams(connection, prefix)
  await connection.close()
})

// From 2.10 on the daemon's own stream does this, and the configuration leaves it out.
const isMappedByServer = connection.info?.version.startsWith('2.9.')

test('a plain publish lands in the mailbox stream, under its partition', { skip: !isMappedByServer }, async () => {
  const manager = await jetstreamManager(connection)
  await manager.streams.add({ name: prefix, subjects: [`${prefix}.mbx.>`] })
  await connection.request(`${prefix}.cmd.booking.42.BookShowTickets`, '{}')
  const stored = await manager.streams.getMessage(prefix, { seq: 1 })
  assert.equal(stored?.subject, `${prefix}.mbx.${fnv1a('42') % testPartitions}.booking.42.BookShowTickets`)
})

function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash
}

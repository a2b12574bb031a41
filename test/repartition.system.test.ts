import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { settledRecord, violationsOf } from '../ops/record.ts'
import { projectFolder } from '../ops/sandbox/folders.ts'
import { runCli } from './support/cli.ts'
import { Client } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { until } from './support/wait.ts'

let cluster: Cluster
before(async () => {
  cluster = await startCluster({ confirmAfterMs: 20 })
})
after(() => cluster.stop())

const script = readFileSync(path.join(projectFolder, 'ops', 'repartition.sql'), 'utf8')
const repartition = (partitions: number) =>
  cluster.sql.unsafe(`begin;\n${script.replaceAll(':partitions', String(partitions))};\ncommit`).simple()

test('a stopped installation goes on with another number of partitions, and remembers everything', async () => {
  const { sql, env } = cluster
  const daemon = await cluster.addDaemon()
  const client = new Client(daemon.url)
  const shows = await Promise.all(Array.from({ length: 5 }, () => client.createShow(100)))
  const keyed = (show: string, index: number) => client.book(show, 2, { 'Idempotency-Key': `before-${index}` })
  const booked = await Promise.all(Array.from({ length: 20 }, (_, index) => keyed(shows[index % 5] ?? '', index)))
  assert.deepEqual(new Set(booked.map(({ status }) => status)), new Set([201]))
  await assert.rejects(repartition(64), /a worker is alive/)
  await sql`rollback`
  assert.deepEqual(violationsOf(await settledRecord(env.POSTGRES_URL, 60_000)), [])
  await until('the read models are there', async () => (await lagging()) === 0)
  await daemon.stop()

  const before = await statesOf()
  await repartition(64)
  assert.deepEqual(await statesOf(), before)
  await deleteMailboxes()
  const settings = { ...env, TURNSTILE_PARTITIONS: '64' }
  const next = await cluster.addDaemon(undefined, { TURNSTILE_PARTITIONS: '64' })
  const other = new Client(next.url)
  const again = await other.book(shows[0] ?? '', 2, { 'Idempotency-Key': 'before-0' })
  assert.deepEqual([again.status, again.body], [201, booked[0]?.body])
  const canceled = await other.post(`/bookings/${booked[1]?.body.booking_id}/cancel`, {})
  assert.equal(canceled.status, 202)
  assert.equal((await other.book(shows[1] ?? '')).status, 201)
  const verified = async () => (await runCli(settings, ['verify', '--grace', '0s'])).code === 0
  await until('all is done, and all of it holds', verified, 60_000)
  assert.equal((await other.get(`/shows/${shows[1]}`)).body.seats_reserved, 4 * 2 - 2 + 1)
  client.close()
  other.close()
})

/** Every actor with its version and state, wherever it lives. */
const statesOf = () => cluster.sql`select kind, id, version, state::text, wake_at from actor order by kind, id`

async function lagging(): Promise<number> {
  const [row] = await cluster.sql<{ count: number }[]>`
    select count(*)::int from partition left join projection on projection.partition = partition.id
    where projection.position is distinct from partition.head and partition.head > 0`
  return row?.count ?? 0
}

async function deleteMailboxes(): Promise<void> {
  const nats = await connect({ servers: cluster.nats.url })
  await (await jetstreamManager(nats)).streams.delete('turnstile-mailbox')
  await nats.close()
}

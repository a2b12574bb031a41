import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import type { NatsConnection } from '@nats-io/transport-node'
import { crashCli, runCli } from './support/cli.ts'
import { Client } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { connectOutside } from './support/nats-client.ts'
import { underWay } from './support/settled.ts'
import { until } from './support/wait.ts'

/** How many bookings are made before, and again while turns are archived. */
const bookings = Number(process.env.ARCHIVE_BOOKINGS ?? 20)

/** Each partition has files of its own: a few show as much as many. */
const partitions = { TURNSTILE_PARTITIONS: '4' }

let cluster: Cluster
let client: Client
let outside: Awaited<ReturnType<typeof connectOutside>>
let folder: string
before(async () => {
  cluster = await startCluster()
  await cluster.addDaemon(undefined, partitions)
  client = new Client(`http://127.0.0.1:${cluster.env.PORT}`)
  outside = await connectOutside(cluster.nats.url)
  folder = await mkdtemp(path.join(tmpdir(), 'archive-'))
})
after(async () => {
  client.close()
  await outside.close()
  await cluster.stop()
  await rm(folder, { recursive: true })
})

const env = () => ({ ...cluster.env, ...partitions })
const order = ['archive', '--older-than', '30d', '--json', '--to'] as const
const archive = async (): Promise<void> => {
  const { code, err } = await runCli(env(), [...order, folder])
  assert.deepEqual([code, err], [0, ''])
}

async function book(show: string): Promise<string[]> {
  const answers = await Promise.all(Array.from({ length: bookings }, () => client.book(show, 2)))
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201])
  return answers.map(({ body }) => String(body.booking_id))
}

const settle = (connection: NatsConnection): Promise<number> =>
  until('all that was asked for is done', async () => !(await underWay(cluster.sql, connection)), 60_000)

test('old turns leave the journal while bookings are made, whoever is killed on the way, and nothing is lost', async () => {
  const { sql } = cluster
  const created = await client.post('/shows', {
    ...{ dead_nation_id: '01900000-0000-7000-8000-0000000000dd', number_of_tickets: 10_000 },
    ...{ start_time: '2026-01-01T20:00:00Z', title: 'The Hounds of Love', venue: 'Lyceum' },
  })
  const show = String(created.body.show_id)
  const earlier = await book(show)
  const lagging = async (): Promise<boolean> =>
    (await sql`select from projection join partition on partition.id = partition where position < head`).length > 0
  await settle(outside.connection)
  await until('every read model has all of it', async () => !(await lagging()))
  // A hundred days pass.
  await sql`update turn set at = at - interval '100 days'`

  const [booking = ''] = earlier
  const before = await runCli(env(), ['journal', 'show', 'booking', booking, '--at', '2'])
  const [killed] = await Promise.all([crashCli(env(), 'archive-step', [...order, folder]), book(show)])
  assert.match(killed.out, /crash point reached/)
  await Promise.all([archive(), book(show)])
  // Of all kinds, whichever of the two moved them.
  const moved = await sql<{ kind: string }[]>`
    select distinct kind from actor where archived_version > 0 order by kind`
  assert.deepEqual(
    moved.map(({ kind }) => kind),
    ['booking', 'show', 'ticket'],
  )

  await settle(outside.connection)
  await until('every read model has all of it', async () => !(await lagging()))
  const old = await sql`select from turn where at < now() - interval '30 days'`
  assert.equal(old.length, 0)
  const { out } = await runCli(env(), ['journal', 'show', 'booking', booking, '--at', '2'])
  assert.equal(out, before.out)

  await findsAllInItsState(booking)
  await settle(outside.connection)
  // Its rows have times in them, which have passed for the journal alone.
  assert.equal((await runCli(env(), ['projections', 'rebuild', 'ops_bookings'])).code, 0)
  const erased = await runCli(env(), ['erase', 'kate@example.com', '--json', '--archive', folder])
  assert.equal(erased.code, 0, erased.out + erased.err)
  assert.ok(JSON.parse(erased.out).files > 0, erased.out)
  const verified = await runCli(env(), ['verify'])
  assert.equal(verified.code, 0, verified.out)
  assert.match(verified.out, /turns, [\d,]+ lie in files of the archive/)
})

/** What comes late is answered from the state, and nothing is done twice. */
async function findsAllInItsState(booking: string): Promise<void> {
  const { body } = await client.get(`/bookings/${booking}`)
  const tickets = Object.keys(body.tickets as object)
  const late = tickets.map((ticket_id) => ({
    ...{ ticket_id, status: 'confirmed', price: { amount: '7.00', currency: 'EUR' } },
    ...{ customer_email: 'kate@example.com', booking_id: booking },
  }))
  const told = await client.post('/tickets-status', { tickets: late }, { 'Idempotency-Key': 'late' })
  assert.equal(told.status, 200)
  const [ticket = ''] = tickets
  assert.equal((await client.put(`/ticket-refund/${ticket}`)).status, 202)
  const isRefunded = async () => (await client.get(`/tickets/${ticket}`)).body.status === 'refunded'
  await until('the ticket is refunded', isRefunded, 30_000)
  const { status, body: problem } = await client.get(`/bookings/${booking}/events`)
  assert.equal(status, 410)
  assert.match(String(problem.detail), /are archived: go on from behind them with \w+$/)
}

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { seriesOfDaemon } from '../ops/monitoring/catalogue.ts'
import type { Daemon } from '../ops/sandbox/daemon.ts'
import { defaultPartitions } from '../src/config.ts'
import { Client } from './support/client.ts'
import { type Cluster, half, halves, shares, startCluster } from './support/cluster.ts'
import { connectOutside } from './support/nats-client.ts'
import { until } from './support/wait.ts'

const settings = { TURNSTILE_LEASE_MS: '1000' }
let cluster: Cluster
let daemon: Daemon
before(async () => {
  cluster = await startCluster()
  daemon = await cluster.addDaemon(undefined, settings)
})
after(() => cluster.stop())

/** What a daemon tells Prometheus: each series as it is written, and its value. */
async function figuresOf({ url }: Daemon): Promise<Map<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]))
}

/** Waits until the daemon tells all of these. */
async function untilTold(which: Daemon, expected: Record<string, number>): Promise<void> {
  let figures = new Map<string, number>()
  const missing = () => Object.keys(expected).filter((series) => figures.get(series) !== expected[series])
  await until(
    'the figures are told',
    async () => {
      figures = await figuresOf(which)
      return missing().length === 0
    },
    30_000,
  ).catch(() => {
    const told = missing().map((series) => `${series} is ${figures.get(series)}, not ${expected[series]}`)
    assert.fail(told.join('\n'))
  })
}

test('what happens is told, once for each committed turn', async () => {
  const faults = { 'dead-nation': { probability: 1, status: 503 } }
  await fetch(`${cluster.gateway.addr}/_faults`, { method: 'PUT', body: JSON.stringify(faults) })
  const client = new Client(daemon.url)
  const show = await client.createShow(1)
  assert.equal((await client.book(show)).status, 201)
  assert.equal((await client.book(show)).status, 400)
  const [kept, refunded] = [randomUUID(), randomUUID()]
  const tickets = [
    { ticket_id: kept, price: { amount: '9.70', currency: 'EUR' } },
    { ticket_id: refunded, price: { amount: '50.30', currency: 'EUR' } },
  ].map((ticket) => ({ ...ticket, status: 'confirmed', customer_email: 'k@example.com', booking_id: '' }))
  const key = { 'Idempotency-Key': randomUUID() }
  for (const _ of ['once', 'again']) assert.equal((await client.post('/tickets-status', { tickets }, key)).status, 200)
  assert.equal((await client.put(`/ticket-refund/${refunded}`)).status, 202)
  const outside = await connectOutside(cluster.nats.url)
  await outside.publish({ kind: 'opera', id: randomUUID(), name: 'Sing', body: {} })
  await outside.close()

  await untilTold(daemon, {
    'turnstile_bookings_total{outcome="made"}': 1,
    'turnstile_bookings_total{outcome="failed"}': 1,
    'turnstile_tickets_total{outcome="confirmed"}': 2,
    'turnstile_refunds_total{outcome="requested"}': 1,
    'turnstile_refunds_total{outcome="paid"}': 1,
    'turnstile_revenue_total{currency="EUR"}': 60,
    'turnstile_refunded_total{currency="EUR"}': 50.3,
    'turnstile_dead_letters_total{kind="other",code="unknown-actor"}': 1,
    'turnstile_dead_letters_open{code="unknown-actor"}': 1,
    'turnstile_failing_calls{service="dead-nation"}': 1,
    'turnstile_effects_lag_messages{service="dead-nation"}': 1,
    'turnstile_effects_lag_messages{service="receipts"}': 0,
    turnstile_workers: 1,
    turnstile_partitions_owned: defaultPartitions,
    turnstile_partitions_unowned: 0,
    turnstile_partitions_unread: 0,
    turnstile_outbox_messages: 0,
    'turnstile_dependency_up{dependency="postgres"}': 1,
    'turnstile_dependency_up{dependency="nats"}': 1,
  })
  await until('every turn of the journal was counted', async () => {
    const [row] = await cluster.sql<{ turns: number }[]>`select count(*)::int as turns from turn`
    const counted = [...(await figuresOf(daemon))].filter(([series]) => series.startsWith('turnstile_turns_total'))
    return counted.reduce((sum, [, turns]) => sum + turns, 0) === row?.turns
  })
  client.close()
})

test('whatever is told is in the catalogue, which the dashboards and the alerts are held against', async () => {
  const known = seriesOfDaemon()
  for (const series of (await figuresOf(daemon)).keys()) {
    const [name = '', labels = ''] = series.split('{')
    assert.ok(known.has(name), name)
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) assert.ok(known.get(name)?.has(label), series)
  }
})

test('what a dead worker owned is told of by who has taken it', async () => {
  const heir = await cluster.addDaemon(undefined, settings)
  await until('they share', async () => (await shares(cluster.sql)).join() === halves)
  await untilTold(heir, { turnstile_partitions_owned: half, 'turnstile_takeovers_total{from="expired"}': 0 })
  await daemon.process().kill()
  await untilTold(heir, {
    turnstile_partitions_owned: defaultPartitions,
    turnstile_workers: 1,
    'turnstile_takeovers_total{from="expired"}': half,
    'turnstile_takeovers_total{from="free"}': half,
  })
})

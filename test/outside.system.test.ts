import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { Client } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { checkInvariants } from './support/invariants.ts'
import { connectOutside } from './support/nats-client.ts'
import { findLatestNats } from './support/nats-latest.ts'
import { until } from './support/wait.ts'

/** An outside client sees the same whether the server's mapping sorts the commands into partitions, or the stream's. */
describe('an outside NATS client, with the nats-server that the sandbox finds', () => sellsTickets())

const latest = await findLatestNats()
describe('an outside NATS client, with nats-server 2.10 or later', { skip: latest.skip ?? false }, () => {
  sellsTickets(latest.path)
})

function sellsTickets(natsServer?: string): void {
  test('books, sees the events of the contract, and gets notice of what it did wrong', async (t) => {
    const before = process.env.NATS_SERVER_BIN
    if (natsServer !== undefined) process.env.NATS_SERVER_BIN = natsServer
    const cluster = await startCluster()
    if (before === undefined) delete process.env.NATS_SERVER_BIN
    else process.env.NATS_SERVER_BIN = before
    try {
      const daemon = await cluster.addDaemon()
      const client = new Client(daemon.url)
      t.diagnostic(await book(cluster, await client.createShow(3)))
      await checkInvariants(cluster)
      client.close()
    } finally {
      await cluster.stop()
    }
  })
}

type Event = { subject: string; body: Record<string, unknown>; headers: Record<string, string[]> }

async function book(cluster: Cluster, show: string): Promise<string> {
  const outside = await connectOutside(cluster.nats.url)
  const seen: Event[] = []
  for (const subject of ['turnstile.evt.>', 'turnstile.dead.>']) {
    outside.connection.subscribe(subject, {
      callback: (_, message) => {
        const headers = Object.fromEntries(message.headers ?? [])
        seen.push({ subject: message.subject, body: message.json(), headers })
      },
    })
  }
  await outside.connection.flush()
  const order = { customer_email: 'kate@example.com', show_id: show }
  const event = async (subject: string): Promise<Event> => {
    await until(subject, () => seen.some((one) => one.subject === subject))
    return seen.find((one) => one.subject === subject) as Event
  }

  // As `nats pub` does it: a subject and a body, no header at all.
  const booking = randomUUID()
  const wish = JSON.stringify({ booking_id: booking, number_of_tickets: 2, ...order, unknown_field: 'ignored' })
  outside.connection.publish(`turnstile.cmd.booking.${booking}.BookShowTickets`, wish)
  const made = await event(`turnstile.evt.booking.${booking}.BookingMade_v1`)
  const { header, ...fields } = made.body as { header: Record<string, string> }
  assert.deepEqual(fields, { booking_id: booking, number_of_tickets: 2, ...order })
  assert.deepEqual(Object.keys(header).sort(), ['id', 'idempotency_key', 'published_at'])
  assert.equal(made.headers['Nats-Msg-Id']?.[0], header.id)
  assert.match(header.published_at ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
  assert.notEqual(header.idempotency_key, '')
  assert.ok(made.headers['Correlation-ID'])

  const unlucky = randomUUID()
  await outside.publish({
    kind: 'booking',
    id: unlucky,
    name: 'BookShowTickets',
    body: { number_of_tickets: 2, ...order },
  })
  const failed = await event(`turnstile.evt.booking.${unlucky}.BookingFailed_v1`)
  assert.equal(failed.body.booking_id, unlucky)
  assert.equal(failed.body.failure_reason, '2 seats asked for, 1 left')

  const mistakes = [
    { kind: 'booking', id: randomUUID(), name: 'BookShowTickets', body: { number_of_tickets: 0, ...order } },
    { kind: 'booking', id: randomUUID(), name: 'constructor', body: {} },
    { kind: 'opera', id: randomUUID(), name: 'BookShowTickets', body: {} },
    { kind: 'show', id: 'the-big-one', name: 'ReserveSeats', body: {} },
  ]
  for (const mistake of mistakes) await outside.publish(mistake)
  const letters = () => seen.filter(({ subject }) => subject.startsWith('turnstile.dead.'))
  await until('every mistake is announced', () => letters().length === mistakes.length)
  assert.deepEqual(
    letters()
      .map(({ body }) => body.code)
      .sort(),
    ['message-unparsable', 'message-unparsable', 'unknown-actor', 'unknown-command'],
  )
  const kept = await cluster.sql`select cause, payload from dead_letter order by cause`
  assert.equal(kept.length, mistakes.length)
  assert.ok(kept.some(({ cause }) => String(cause).includes('number_of_tickets')))
  const version = `nats-server ${outside.connection.info?.version}`
  await outside.close()
  return version
}

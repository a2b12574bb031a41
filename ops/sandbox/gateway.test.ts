import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { json } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createWebhook } from './gateway/webhook.ts'
import { startGateway } from './gateway.ts'
import { freePort } from './ports.ts'

type Received = { key: string | undefined; body: { tickets: Record<string, unknown>[] } }

/** A daemon that answers the webhook with these statuses, one after the other, and the last one from then on. */
async function startWorld(t: { after(stop: () => Promise<void>): void }, statuses: number[]) {
  const received: Received[] = []
  const daemon = http.createServer(async (request, response) => {
    assert.equal(`${request.method} ${request.url}`, 'POST /tickets-status')
    const key = request.headers['idempotency-key'] as string | undefined
    received.push({ key, body: (await json(request)) as Received['body'] })
    response.writeHead(statuses[Math.min(received.length, statuses.length) - 1] ?? 200).end()
  })
  daemon.listen(await freePort(), '127.0.0.1')
  await once(daemon, 'listening')
  const { port } = daemon.address() as { port: number }
  const daemonUrl = `http://127.0.0.1:${port}`
  const gateway = await startGateway({
    port: await freePort(),
    daemonUrl,
    confirmAfterMs: 1,
  })
  t.after(async () => {
    await gateway.close()
    daemon.closeAllConnections()
    daemon.close()
  })
  const book = (change: object = {}) =>
    fetch(`${gateway.addr}/dead-nation-api/ticket/booking`, {
      method: 'POST',
      body: JSON.stringify({ ...booking, ...change }),
    })
  return { gateway, daemonUrl, received, book }
}

const booking = {
  booking_id: '0197b6c0-5b7e-7cc1-8a39-6d1f0e8d4a01',
  customer_address: 'ada@example.com',
  event_id: '0197b6c0-5b7e-7cc1-8a39-6d1f0e8d4a02',
  number_of_tickets: 3,
}

test('Dead Nation takes a booking and confirms its tickets in one call', async (t) => {
  const { book, received, gateway } = await startWorld(t, [200])
  const response = await book()
  assert.equal(response.status, 200)
  assert.deepEqual(await response.json(), { booking_id: booking.booking_id })

  while (received.length === 0) await sleep(2)
  const [call] = received
  assert.ok(call?.key)
  assert.equal(call.body.tickets.length, 3)
  assert.equal(new Set(call.body.tickets.map((ticket) => ticket.ticket_id)).size, 3)
  const { ticket_id: _, ...ticket } = call.body.tickets[0] ?? {}
  assert.deepEqual(ticket, {
    status: 'confirmed',
    price: { amount: '50.30', currency: 'EUR' },
    customer_email: 'ada@example.com',
    booking_id: booking.booking_id,
  })
  const report = await fetch(gateway.addr)
  assert.equal(((await report.json()) as { calls: Record<string, number> }).calls['dead-nation'], 1)
})

test('the same booking again is confirmed once; with other values it is refused', async (t) => {
  const { book, received } = await startWorld(t, [200])
  assert.equal((await book()).status, 200)
  assert.equal((await book()).status, 200)
  assert.equal((await book({ number_of_tickets: 4 })).status, 409)
  assert.equal((await book({ booking_id: 'x' })).status, 400)
  assert.equal((await book({ booking_id: booking.event_id })).status, 200)
  // The second booking's confirmation is asked for last, so a second one of the first would be here before it.
  while (received.at(-1)?.key !== `dead-nation-${booking.event_id}-1`) await sleep(2)
  assert.equal(received.length, 2)
})

test('repeats a confirmation, the same one, until the daemon takes it', async (t) => {
  const { book, received } = await startWorld(t, [503, 429, 200])
  await book()
  while (received.length < 3) await sleep(5)
  assert.deepEqual(received[1], received[0])
  assert.deepEqual(received[2], received[0])
})

test('gives up when the daemon refuses', async (t) => {
  // A second attempt would be taken, and end the delivery too.
  const { daemonUrl, received } = await startWorld(t, [404, 200])
  const webhook = createWebhook(`${daemonUrl}/tickets-status`, 1)
  await webhook.deliver({ tickets: [] }, 'a key')
  webhook.close()
  assert.equal(received.length, 1)
})

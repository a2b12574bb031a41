import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { Client } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { checkInvariants } from './support/invariants.ts'
import { until } from './support/wait.ts'

type Received = {
  receipts: Record<string, unknown>[]
  voided_receipts: Record<string, unknown>[]
  refunds: Record<string, unknown>[]
  sheets: Record<string, string[][]>
  files: Record<string, unknown>
}

describe('the life of a ticket, against services that are simulated', () => {
  let cluster: Cluster
  let client: Client
  before(async () => {
    cluster = await startCluster()
    client = new Client((await cluster.addDaemon()).url)
  })
  after(async () => {
    client.close()
    await cluster.stop()
  })

  const received = async (): Promise<Received> => (await fetch(cluster.gateway.addr)).json() as Promise<Received>
  const stateOf = async (ticket: string) => (await client.get(`/tickets/${ticket}`)).body
  const seatsLeft = async (show: string) => (await client.get(`/shows/${show}`)).body.seats_left
  /** Books, and waits until Dead Nation has confirmed every ticket. @returns the tickets */
  const book = async (show: string, seats: number): Promise<{ booking: string; tickets: string[] }> => {
    const booking = String((await client.book(show, seats)).body.booking_id)
    const tickets = async () => Object.keys((await client.get(`/bookings/${booking}`)).body.tickets ?? {})
    await until('all tickets are confirmed', async () => (await tickets()).length === seats)
    return { booking, tickets: await tickets() }
  }
  const report = (ticket: string, status: string, more = {}) => {
    const entry = {
      ticket_id: ticket,
      status,
      price: { amount: '12.50', currency: '' },
      customer_email: 'k@example.com',
    }
    return client.post('/tickets-status', { tickets: [{ ...entry, ...more }] }, { 'Idempotency-Key': randomUUID() })
  }
  const rowsOf = async (sheet: string, ticket: string) =>
    ((await received()).sheets[sheet] ?? []).filter(([id]) => id === ticket)

  test('a booked ticket gets its receipt, its file and its row, once each', async () => {
    const { tickets } = await book(await client.createShow(10), 2)
    for (const ticket of tickets) {
      await until('all is done', async () => {
        const { receipt, file_name, rows } = (await stateOf(ticket)) as {
          receipt: unknown
          file_name: unknown
          rows: unknown[]
        }
        return receipt !== null && file_name !== null && rows.length === 1
      })
      assert.equal((await rowsOf('tickets-to-print', ticket)).length, 1)
    }
    const { receipts, files } = await received()
    for (const ticket of tickets) {
      assert.equal(JSON.stringify(receipts).split(ticket).length - 1, 1)
      assert.ok(JSON.stringify(files).includes(`${ticket}-ticket.html`))
    }
  })

  test('a ticket is refunded once: receipt voided, payment back, seat on sale again', async () => {
    const show = await client.createShow(10)
    const { tickets } = await book(show, 2)
    const [ticket = ''] = tickets
    const refund = () => client.put(`/ticket-refund/${ticket}`)
    assert.deepEqual([(await refund()).status, (await refund()).status], [202, 202])
    await until('it is refunded', async () => (await stateOf(ticket)).status === 'refunded')
    await until('its seat is back', async () => (await seatsLeft(show)) === 9)
    assert.equal((await refund()).status, 202)
    const { refunds, voided_receipts } = await received()
    assert.equal(JSON.stringify(refunds).split(ticket).length - 1, 1)
    assert.equal(JSON.stringify(voided_receipts).split(ticket).length - 1, 1)
  })

  test('a canceled ticket gets one row to refund and gives its seat back; its refund is refused', async () => {
    const show = await client.createShow(10)
    const { booking, tickets } = await book(show, 3)
    const [ticket = ''] = tickets
    for (let i = 0; i < 2; i++) assert.equal((await report(ticket, 'canceled', { booking_id: booking })).status, 200)
    await until('its seat is back', async () => (await seatsLeft(show)) === 8)
    await until('its row is there', async () => (await rowsOf('tickets-to-refund', ticket)).length === 1)
    assert.equal((await client.put(`/ticket-refund/${ticket}`)).status, 409)
  })

  test('a cancellation that comes first wins: no receipt, no print, one row', async () => {
    const ticket = randomUUID()
    for (const status of ['canceled', 'confirmed']) assert.equal((await report(ticket, status)).status, 200)
    await until('its row is there', async () => (await rowsOf('tickets-to-refund', ticket)).length === 1)
    assert.equal((await stateOf(ticket)).status, 'canceled')
    assert.deepEqual(await rowsOf('tickets-to-print', ticket), [])
    assert.ok(!JSON.stringify((await received()).receipts).includes(ticket))
  })

  test('a ticket without a booking is a ticket like any other; the price counts in USD unless it says otherwise', async () => {
    const ticket = randomUUID()
    assert.equal((await report(ticket, 'confirmed')).status, 200)
    await until('its row is there', async () => (await rowsOf('tickets-to-print', ticket)).length === 1)
    assert.deepEqual((await rowsOf('tickets-to-print', ticket))[0], [ticket, 'k@example.com', '12.50', 'USD'])
  })

  test('a canceled booking refunds its tickets and gives every seat back', async () => {
    const show = await client.createShow(10)
    const { booking, tickets } = await book(show, 4)
    assert.equal((await client.post(`/bookings/${booking}/cancel`, {})).status, 202)
    await until('every seat is back', async () => (await seatsLeft(show)) === 10)
    for (const ticket of tickets) assert.equal((await stateOf(ticket)).status, 'refunded')
    assert.equal((await client.get(`/bookings/${booking}`)).body.status, 'canceled')
    await checkInvariants(cluster)
  })
})

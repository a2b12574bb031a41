import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { Daemon } from '../ops/sandbox/daemon.ts'
import { runCli } from './support/cli.ts'
import { Client } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { until } from './support/wait.ts'

type OpsTicket = Record<string, string>
type OpsBooking = { booking_id: string; booked_at: string; tickets: Record<string, OpsTicket>; last_update: string }

const notYet = '0001-01-01T00:00:00Z'

describe('the read models, over HTTP against services that are simulated', () => {
  let cluster: Cluster
  let daemon: Daemon
  let client: Client
  before(async () => {
    cluster = await startCluster()
    daemon = await cluster.addDaemon()
    client = new Client(daemon.url)
  })
  after(async () => {
    client.close()
    await cluster.stop()
  })

  const list = async <T>(path: string) => (await client.get(path)).body as unknown as T[]
  const opsBooking = async (id: string) => (await client.get(`/ops/bookings/${id}`)).body as OpsBooking
  const listed = async () => (await list<{ ticket_id: string }>('/tickets')).map(({ ticket_id }) => ticket_id)
  const report = (ticket: string, status: string, booking_id: string) => {
    const price = { amount: '12.50', currency: 'EUR' }
    const entry = { ticket_id: ticket, status, price, customer_email: 'kate@example.com', booking_id }
    return client.post('/tickets-status', { tickets: [entry] }, { 'Idempotency-Key': randomUUID() })
  }
  /** Books, and waits until everything is there that comes by itself. */
  const book = async (show: string, seats: number): Promise<OpsBooking> => {
    const id = String((await client.book(show, seats)).body.booking_id)
    await until('the tickets are all done', async () => {
      const tickets = Object.values((await opsBooking(id)).tickets ?? {})
      return (
        tickets.length === seats && tickets.every((one) => one.receipt_number !== '' && one.printed_file_name !== '')
      )
    })
    return opsBooking(id)
  }

  test('a confirmed ticket is listed, and is in its ops booking with all that was done', async () => {
    const show = await client.createShow(10)
    const booking = await book(show, 2)
    const [id = '', other] = Object.keys(booking.tickets)
    const state = (await client.get(`/tickets/${id}`)).body as {
      customer_email: string
      price: { amount: string; currency: string }
      receipt: { number: string; issued_at: string }
    }
    const { confirmed_at, printed_at, ...ticket } = booking.tickets[id] as OpsTicket
    assert.deepEqual(ticket, {
      price_amount: state.price.amount,
      price_currency: state.price.currency,
      customer_email: 'kate@example.com',
      refunded_at: notYet,
      printed_file_name: `${id}-ticket.html`,
      receipt_issued_at: state.receipt.issued_at,
      receipt_number: state.receipt.number,
    })
    const times = [booking.booked_at, String(confirmed_at), String(printed_at), booking.last_update]
    assert.ok(
      times.every((time) => /^20\d\d-\d\d-\d\dT[\d:.]+Z$/.test(time)),
      String(times),
    )
    assert.deepEqual([times[0], times[3]], [times.toSorted()[0], times.toSorted()[3]])

    const { customer_email, price } = state
    const tickets = await list<{ ticket_id: string }>('/tickets')
    assert.deepEqual(
      tickets.find(({ ticket_id }) => ticket_id === id),
      { ticket_id: id, customer_email, price },
    )
    assert.ok(tickets.some(({ ticket_id }) => ticket_id === other))

    const view = (await client.get(`/shows/${show}`)).body
    assert.deepEqual(
      (await list<{ show_id: string }>('/shows')).find(({ show_id }) => show_id === show),
      view,
    )
    const { tickets: _, tickets_ordered: __, ...summary } = (await client.get(`/bookings/${booking.booking_id}`)).body
    assert.deepEqual(await list(`/bookings?show_id=${show}`), [summary])
  })

  test('a canceled and a refunded ticket are not listed any more; operations still see them', async () => {
    const { booking_id, tickets } = await book(await client.createShow(10), 3)
    const [canceled = '', refunded = '', kept = ''] = Object.keys(tickets)
    await report(canceled, 'canceled', booking_id)
    await client.put(`/ticket-refund/${refunded}`)
    await until('both are gone', async () => {
      const ids = await listed()
      return !ids.includes(canceled) && !ids.includes(refunded)
    })
    assert.ok((await listed()).includes(kept))
    const after = await opsBooking(booking_id)
    assert.deepEqual(Object.keys(after.tickets).sort(), [canceled, refunded, kept].sort())
    assert.notEqual(after.tickets[refunded]?.refunded_at, notYet)
    assert.deepEqual(after.tickets[kept], tickets[kept])
  })

  test('ops bookings are found by the day of a receipt, and only such', async () => {
    const { booking_id, tickets } = await book(await client.createShow(10), 1)
    const [ticket] = Object.values(tickets)
    const day = String(ticket?.receipt_issued_at).slice(0, 10)
    const on = async (date: string) =>
      (await list<OpsBooking>(`/ops/bookings?receipt_issue_date=${date}`)).map((one) => one.booking_id)
    assert.ok((await on(day)).includes(booking_id))
    assert.deepEqual(await on('2001-01-01'), [])
    assert.deepEqual(await on('0001-01-01'), [])
    assert.deepEqual((await list<OpsBooking>('/ops/bookings')).map((one) => one.booking_id).includes(booking_id), true)
  })

  test('a booking that never came about, and a ticket of none, are no ops booking', async () => {
    const show = await client.createShow(1)
    assert.equal((await client.book(show, 2)).status, 400)
    const [stranger, unknown] = [randomUUID(), randomUUID()]
    await report(stranger, 'confirmed', unknown)
    await until('the ticket is listed', async () => (await listed()).includes(stranger))
    assert.equal((await client.get(`/ops/bookings/${unknown}`)).status, 404)
    const [failed] = await list<{ booking_id: string; status: string }>(`/bookings?show_id=${show}`)
    assert.equal(failed?.status, 'failed')
    assert.equal((await client.get(`/ops/bookings/${failed?.booking_id}`)).status, 404)
  })

  test('the command line rebuilds one, and lists them', async () => {
    const run = (...args: string[]) => runCli({ POSTGRES_URL: cluster.postgres.url }, ['projections', ...args])
    const before = (await listed()).sort()
    const rebuilt = await run('rebuild', 'tickets')
    assert.match(rebuilt.out, /^Rebuilt tickets from \d+ turns in [\d.]+ s: \d+ turns a second\.\n$/, rebuilt.err)
    assert.deepEqual((await listed()).sort(), before)
    assert.match((await run('list')).out, /^NAME +TURNS +LAG\n(?:\w+ +\d+ +\d+\n){4}$/)
  })

  test('the metric tells by name how far each lags', async () => {
    const text = await (await fetch(`${daemon.url}/metrics`)).text()
    for (const name of ['tickets', 'ops_bookings', 'bookings', 'shows']) {
      assert.match(text, new RegExp(`^turnstile_projection_lag_turns\\{projection="${name}"\\} \\d+$`, 'm'))
    }
  })
})

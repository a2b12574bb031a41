import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { Client } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { checkInvariants } from './support/invariants.ts'
import { connectOutside } from './support/nats-client.ts'
import { checkEffects, checkEvents, readEvents, underWay } from './support/settled.ts'
import { until } from './support/wait.ts'

type Received = {
  receipts: Record<string, unknown>[]
  voided_receipts: Record<string, unknown>[]
  refunds: Record<string, unknown>[]
  sheets: Record<string, string[][]>
  files: Record<string, unknown>
}

/** The public events, as the contract has them. */
const fieldsOf: Record<string, string[]> = {
  BookingMade_v1: ['booking_id', 'number_of_tickets', 'customer_email', 'show_id'],
  BookingFailed_v1: ['booking_id', 'failure_reason'],
  TicketBookingConfirmed_v1: ['ticket_id', 'booking_id', 'customer_email', 'price'],
  TicketBookingCanceled_v1: ['ticket_id', 'booking_id', 'customer_email', 'price'],
  TicketReceiptIssued_v1: ['ticket_id', 'booking_id', 'receipt_number', 'issued_at'],
  TicketPrinted_v1: ['ticket_id', 'booking_id', 'file_name'],
  TicketRefunded_v1: ['ticket_id', 'booking_id'],
}

/** Every service does some of its work without saying so, or not at once. */
const faults = {
  'dead-nation': { probability: 0.3, garbage: true },
  receipts: { probability: 0.3, reset_after_success: true },
  payments: { probability: 0.3, status: 503 },
  spreadsheets: { probability: 0.3, reset_after_success: true },
  files: { probability: 0.3, status: 429 },
}

describe('the life of a ticket, against simulated services with faults', () => {
  let cluster: Cluster
  let client: Client
  let outside: Awaited<ReturnType<typeof connectOutside>>
  before(async () => {
    cluster = await startCluster()
    client = new Client((await cluster.addDaemon()).url)
    outside = await connectOutside(cluster.nats.url)
    await setFaults(faults)
  })
  after(async () => {
    client.close()
    await outside.close()
    await cluster.stop()
  })

  const setFaults = async (settings: object): Promise<void> => {
    const answer = await fetch(`${cluster.gateway.addr}/_faults`, { method: 'PUT', body: JSON.stringify(settings) })
    assert.equal(answer.status, 200)
  }
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
  const report = (ticket: string, status: string, more = {}, headers = {}) => {
    const entry = {
      ticket_id: ticket,
      status,
      price: { amount: '12.50', currency: '' },
      customer_email: 'k@example.com',
    }
    return client.post(
      '/tickets-status',
      { tickets: [{ ...entry, ...more }] },
      { 'Idempotency-Key': randomUUID(), ...headers },
    )
  }
  const settle = () =>
    until('nothing is under way', async () => !(await underWay(cluster.sql, outside.connection)), 60_000)
  const rowsOf = async (sheet: string, ticket: string) =>
    ((await received()).sheets[sheet] ?? []).filter(([id]) => id === ticket)

  test('every service is called as the contract says, with the key of the effect and the headers of the story', async () => {
    const story = { 'Correlation-ID': randomUUID(), traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` }
    const show = await client.createShow(10)
    const booking = String((await client.book(show, 2, story)).body.booking_id)
    const [refunded, canceled] = [randomUUID(), randomUUID()]
    for (const ticket of [refunded, canceled]) await report(ticket, 'confirmed', {}, story)
    await report(canceled, 'canceled', {}, story)
    assert.equal((await client.put(`/ticket-refund/${refunded}`, story)).status, 202)
    await until('the one is refunded', async () => (await stateOf(refunded)).status === 'refunded')
    await settle()

    const calls = cluster.gateway.report().last_calls.filter(({ correlation_id, method }) => {
      return correlation_id === story['Correlation-ID'] && method !== 'GET'
    })
    /** The call that has this in its path and body, by one key however often it was made. */
    const call = (method: string, path: string, id: string) => {
      const own = calls.filter((made) => `${made.method} ${made.path}` === `${method} ${path}`)
      const [first, ...repeats] = own.filter(({ body }) => JSON.stringify(body).includes(id))
      assert.ok(first?.idempotency_key, `${method} ${path}`)
      for (const repeat of repeats) assert.equal(repeat.idempotency_key, first.idempotency_key)
      assert.equal(first.traceparent, story.traceparent)
      return { body: first.body, key: first.idempotency_key }
    }
    const keys = new Set<string>()
    const expectCall = (method: string, path: string, id: string, body: (key: string) => unknown) => {
      const made = call(method, path, id)
      assert.deepEqual(made.body, body(made.key))
      keys.add(made.key)
    }
    expectCall('POST', '/dead-nation-api/ticket/booking', booking, () => ({
      booking_id: booking,
      customer_address: 'kate@example.com',
      event_id: '01900000-0000-7000-8000-0000000000dd',
      number_of_tickets: 2,
    }))
    for (const ticket of [refunded, canceled]) {
      const price = { money_amount: '12.50', money_currency: 'USD' }
      expectCall('PUT', '/receipts-api/receipts', ticket, (idempotency_key) => ({
        ticket_id: ticket,
        price,
        idempotency_key,
      }))
      const file = call('PUT', `/files-api/files/${ticket}-ticket.html/content`, ticket)
      assert.match(String(file.body), new RegExp(`${ticket}[^]*12\\.50 USD`))
      keys.add(file.key)
      const columns = [ticket, 'k@example.com', '12.50', 'USD']
      expectCall('POST', '/spreadsheets-api/sheets/tickets-to-print/rows', ticket, () => ({ columns }))
      if (ticket === canceled)
        expectCall('POST', '/spreadsheets-api/sheets/tickets-to-refund/rows', ticket, () => ({ columns }))
    }
    expectCall('PUT', '/receipts-api/void-receipt', refunded, (idempotent_id) => {
      return { ticket_id: refunded, reason: 'customer requested refund', idempotent_id }
    })
    expectCall('PUT', '/payments-api/refunds', refunded, (deduplication_id) => {
      return { payment_reference: refunded, reason: 'refund', deduplication_id }
    })
    assert.equal(keys.size, 10)
    assert.equal(new Set(calls.map(({ idempotency_key }) => idempotency_key)).size, 10)
  })

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

    // What is confirmed only now is refunded too, and releases nothing a second time.
    const late = randomUUID()
    await report(late, 'confirmed', { booking_id: booking })
    await settle()
    assert.equal(await seatsLeft(show), 10)
  })

  test('when Dead Nation finally refuses, the booking fails and gives its seats back', async () => {
    await setFaults({ 'dead-nation': { sold_out: true } })
    const show = await client.createShow(10)
    const booking = String((await client.book(show, 4)).body.booking_id)
    await until('it has failed', async () => (await client.get(`/bookings/${booking}`)).body.status === 'failed')
    await until('every seat is back', async () => (await seatsLeft(show)) === 10)
    await setFaults({ 'dead-nation': faults['dead-nation'] })
    const late = randomUUID()
    await report(late, 'confirmed', { booking_id: booking })
    await until('what is confirmed later is refunded', async () => (await stateOf(late)).status === 'refunded')
    assert.equal(await seatsLeft(show), 10)
  })

  test('a ticket in excess of what was booked touches no inventory', async () => {
    const show = await client.createShow(10)
    const { booking } = await book(show, 1)
    const excess = randomUUID()
    await report(excess, 'confirmed', { booking_id: booking })
    await report(excess, 'canceled', { booking_id: booking })
    await settle()
    assert.equal((await stateOf(excess)).status, 'canceled')
    assert.equal(await seatsLeft(show), 9)
  })

  test('webhooks that come twice, late and in another order end the same; the first confirmation counts', async () => {
    const orders = [
      ['confirmed', 'confirmed', 'canceled', 'canceled'],
      ['canceled', 'confirmed', 'canceled', 'confirmed'],
      ['confirmed', 'canceled', 'confirmed', 'canceled'],
    ]
    for (const order of orders) {
      const ticket = randomUUID()
      for (const [index, status] of order.entries()) {
        const price = { amount: `${index}.00`, currency: 'EUR' }
        for (const headers of [
          { 'Idempotency-Key': `${ticket} ${index}` },
          { 'Idempotency-Key': `${ticket} ${index}` },
        ]) {
          assert.equal((await report(ticket, status, { price }, headers)).status, 200)
        }
      }
      await settle()
      assert.equal((await stateOf(ticket)).status, 'canceled')
      const row = [ticket, 'k@example.com', '0.00', 'EUR']
      assert.deepEqual(await rowsOf('tickets-to-refund', ticket), [row])
      assert.deepEqual(await rowsOf('tickets-to-print', ticket), order[0] === 'canceled' ? [] : [row])
    }
  })

  test('a thousand tickets come in one batch, and each gets everything', async () => {
    const tickets = Array.from({ length: 1_000 }, () => ({
      ticket_id: randomUUID(),
      status: 'confirmed',
      price: { amount: '50.30', currency: 'EUR' },
      customer_email: 'k@example.com',
    }))
    // Of so many calls the unlucky ones would wait for their sixth attempt.
    const fewer = Object.entries(faults).map(([service, fault]) => [service, { ...fault, probability: 0.03 }])
    await setFaults(Object.fromEntries(fewer))
    const headers = { 'Idempotency-Key': randomUUID() }
    const send = async () => (await client.post('/tickets-status', { tickets }, headers)).status
    // A busy machine may need longer for them than a request waits: then the sender repeats it, as it does with any 503.
    await until('all are accepted', async () => (await send()) === 200, 30_000)
    await settle()
    await setFaults(faults)
    const ids = tickets.map(({ ticket_id }) => ticket_id)
    const complete = await cluster.sql`
      select from actor where kind = 'ticket' and id::text = any(${ids})
        and state->>'receipt' is not null and state->>'file_name' is not null and json_array_length(state->'rows') = 1`
    assert.equal(complete.length, 1_000)
  })

  test('in all of it each effect was carried out once, and each event is there once, with the fields of the contract', async () => {
    await settle()
    await checkInvariants(cluster)
    await checkEffects(cluster.sql, cluster.gateway.report())
    const events = await readEvents(outside.connection)
    await checkEvents(cluster.sql, events)
    for (const { name, id, body } of events) {
      const { header, ...fields } = body as { header: Record<string, string> }
      assert.deepEqual(Object.keys(fields).sort(), fieldsOf[name]?.toSorted(), name)
      assert.deepEqual(Object.keys(header).sort(), ['id', 'idempotency_key', 'published_at'])
      assert.equal(header.id, id)
      assert.match(header.published_at ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
      assert.notEqual(header.idempotency_key, '')
    }
    assert.deepEqual([...new Set(events.map(({ name }) => name))].sort(), Object.keys(fieldsOf).sort())
  })

  test('a final refusal without a consequence is a dead letter, and the ticket goes on waiting for its receipt alone', async () => {
    await setFaults({ receipts: { status: 400 } })
    const ticket = randomUUID()
    await report(ticket, 'confirmed')
    const letters = () => cluster.sql`select code, type from dead_letter where actor_id = ${ticket}`
    await until('it is set aside', async () => (await letters()).length === 1)
    assert.deepEqual([...(await letters())], [{ code: 'effect-refused', type: 'IssueReceipt' }])
    await until('its row is there', async () => (await rowsOf('tickets-to-print', ticket)).length === 1)
    const { status, receipt } = await stateOf(ticket)
    assert.deepEqual([status, receipt], ['confirmed', null])
  })
})

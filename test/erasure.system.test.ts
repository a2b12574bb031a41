import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { runCli } from './support/cli.ts'
import { Client } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { checkInvariants } from './support/invariants.ts'
import { connectOutside } from './support/nats-client.ts'
import { underWay } from './support/settled.ts'
import { messagesWith, tablesWith } from './support/traces.ts'
import { until } from './support/wait.ts'

const email = 'Kate.Bush+tickets@example.com'
/** Somebody else, whose address has the customer's in it. */
const other = `not-${email}`
const passenger = 'Catherine of East Wickham'

/** A customer does all that customers do, is erased, and what they have booked lives on. The tests build on each other. */
describe('an erasure', () => {
  let cluster: Cluster
  let client: Client
  let outside: Awaited<ReturnType<typeof connectOutside>>
  let show: string
  let booking: string
  let tickets: string[]
  let bundle: string
  const alone = randomUUID()
  before(async () => {
    cluster = await startCluster()
    client = new Client((await cluster.addDaemon()).url)
    outside = await connectOutside(cluster.nats.url)
    show = await client.createShow(20)
  })
  after(async () => {
    client.close()
    await outside.close()
    await cluster.stop()
  })

  const order = (customer_email: string) => ({ show_id: show, number_of_tickets: 2, customer_email })
  const ticketsOf = async (id: string) => Object.keys((await client.get(`/bookings/${id}`)).body.tickets ?? {})
  const stateOf = async (ticket: string) => (await client.get(`/tickets/${ticket}`)).body
  const book = async (customer_email: string): Promise<string> => {
    const id = String((await client.post('/book-tickets', order(customer_email))).body.booking_id)
    await until('its tickets are printed', async () => {
      const ids = await ticketsOf(id)
      return ids.length === 2 && (await Promise.all(ids.map(stateOf))).every(({ file_name }) => file_name !== null)
    })
    return id
  }
  const report = (ticket_id: string, status: string, booking_id = '') => {
    const entry = { ticket_id, status, price: { amount: '12.50', currency: 'EUR' }, customer_email: email, booking_id }
    return client.post('/tickets-status', { tickets: [entry] }, { 'Idempotency-Key': randomUUID() })
  }
  const settle = () =>
    until('nothing is under way', async () => !(await underWay(cluster.sql, outside.connection)), 60_000)
  const erase = async (...args: string[]) => {
    const { code, out, err } = await runCli(cluster.env, ['erase', email.toLowerCase(), ...args])
    return { code, out, err }
  }
  /** Where a text is; of the other's address it does not count. */
  const traces = async (text: string) => {
    const but = text === email ? other : ''
    return [...(await tablesWith(cluster.sql, text, but)), ...(await messagesWith(outside.connection, text, but))]
  }

  test('has something to find everywhere: tables, dead letters and streams', async () => {
    booking = await book(email)
    await book(other)
    tickets = await ticketsOf(booking)
    await report(alone, 'canceled')
    const flights = { inbound_flight_id: randomUUID(), return_flight_id: randomUUID() }
    const asked = { ...order(email), ...flights, passengers: [passenger, 'Del'] }
    bundle = String((await client.post('/book-vip-bundle', asked)).body.vip_bundle_id)
    await until(
      'it has come to its end',
      async () => (await client.get(`/vip-bundles/${bundle}`)).body.status === 'succeeded',
    )
    assert.equal((await client.put(`/ticket-refund/${tickets[0]}`)).status, 202)
    await until('it is refunded', async () => (await stateOf(tickets[0] ?? '')).status === 'refunded')
    // It does not parse, and its payload spells the address in a way of its own.
    const broken = { show_id: show, customer_email: email }
    outside.connection.publish(
      `turnstile.cmd.booking.${randomUUID()}.BookShowTickets`,
      JSON.stringify(broken).replace('@', '\\u0040'),
    )
    await until('there is a dead letter', async () => (await cluster.sql`select from dead_letter`).length === 1)
    const [letter] = await cluster.sql<{ id: string }[]>`select message_id as id from dead_letter`
    const edited = await runCli(cluster.env, [
      'dead-letters',
      'edit',
      letter?.id ?? '',
      '--force',
      '--payload',
      JSON.stringify(broken),
    ])
    assert.equal(edited.code, 0, edited.err)
    await settle()
    const found = (await traces(email)).join()
    for (const place of ['turn', 'actor', 'bookings', 'ops_bookings', 'tickets', 'dead_letter', 'turnstile.evt.ticket'])
      assert.ok(found.includes(place), `${place} is not in ${found}`)
    assert.ok((await traces(passenger)).length >= 2)
  })

  /** Without what lies in the mailboxes, which workers clear away by and by. */
  const kept = async () => (await traces(email)).filter((place) => !place.startsWith('turnstile.mbx.'))

  test('says first what it would do, and changes nothing', async () => {
    const before = await kept()
    const { code, out } = await erase('--dry-run')
    assert.equal(code, 0)
    assert.match(out, /^WHAT +TO ERASE\nrows of actor +\d+\n(.+\n)*Nothing was changed\.\n$/)
    assert.deepEqual(await kept(), before)
    assert.equal((await erase('--reason', `asked by ${email}`)).code, 1)
    assert.deepEqual(await kept(), before)
  })

  test('leaves the customer nowhere, and the record sound', async () => {
    const { code, out, err } = await erase('--json', '--reason', 'request 17', '--by', 'ada')
    assert.equal(code, 0, out + err)
    const { tables, removed, isDone } = JSON.parse(out)
    assert.ok(isDone && tables.turn > 0 && tables.actor > 0 && tables.dead_letter > 0 && removed.events > 0, out)
    assert.deepEqual(await traces(email), [])
    assert.ok((await traces(other)).length > 0, 'somebody else is still there')
    const [version] = await cluster.sql<{ payload: string }[]>`
      select convert_from((before ->> 'payload')::bytea, 'UTF8') as payload from dead_letter_version`
    assert.equal(JSON.parse(version?.payload ?? '').customer_email, 'erased@erased.invalid')
    assert.deepEqual(await traces(passenger), [])
    await checkInvariants(cluster)
  })

  test('is on record, without the address', async () => {
    const acts =
      await cluster.sql`select act, who, reason, subject from audit where act in ('erase', 'erased') order by seq`
    assert.deepEqual(
      acts.map(({ act, who, reason }) => [act, who, reason]),
      [
        ['erase', 'ada', 'request 17'],
        ['erased', 'ada', 'request 17'],
      ],
    )
    assert.match(acts[0]?.subject, /^customer sha256:[0-9a-f]{64}$/)
  })

  test('leaves what was booked alive: a late webhook does not bring the customer back, and the booking can be canceled', async () => {
    const ticket = tickets[1] ?? ''
    assert.deepEqual((await stateOf(ticket)).customer_email, 'erased@erased.invalid')
    assert.equal((await report(ticket, 'confirmed', booking)).status, 200)
    assert.equal((await report(alone, 'canceled')).status, 200)
    assert.equal((await client.post(`/bookings/${booking}/cancel`, {})).status, 202)
    await until('its last ticket is refunded', async () => (await stateOf(ticket)).status === 'refunded')
    await settle()
    assert.deepEqual(await tablesWith(cluster.sql, email, other), [])
    await checkInvariants(cluster)
  })

  test('can be done again, and finds what lay in the mailboxes', async () => {
    const { code, out } = await erase('--json')
    assert.equal(code, 0, out)
    assert.deepEqual(JSON.parse(out).tables, {})
    assert.deepEqual(await traces(email), [])
  })
})

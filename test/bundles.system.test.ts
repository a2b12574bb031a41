import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { Client } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { checkInvariants } from './support/invariants.ts'
import { until } from './support/wait.ts'

type Left = { flight_tickets: object[]; taxi_bookings: object[]; canceled_transportation: string[] }
type FailingCall = { request: string; last_error: string; is_dead_letter: boolean }
type Shown = { status: string; rollback_reason: string | null; steps: { name: string; failing_calls: FailingCall[] }[] }

describe('VIP bundles, against services that are simulated', () => {
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
  beforeEach(() => fault({}))

  /** In place of those that are set. */
  async function fault(faults: object): Promise<void> {
    await fetch(`${cluster.gateway.addr}/_faults`, { method: 'DELETE' })
    await fetch(`${cluster.gateway.addr}/_faults`, { method: 'PUT', body: JSON.stringify(faults) })
  }

  const flights = ['inbound', 'return'].map(
    (leg) => `8e2d5f10-4c1b-4f0e-9b7a-${leg === 'inbound' ? '1' : '2'}d2c3b4a5f60`,
  )
  const [inbound_flight_id = '', return_flight_id = ''] = flights

  async function book(show_id: string): Promise<{ bundle: string; booking: string }> {
    const passengers = ['Ada', 'Bert']
    const order = { show_id, customer_email: 'ada@example.org', number_of_tickets: 2, passengers }
    const { status, body } = await client.post('/book-vip-bundle', { ...order, inbound_flight_id, return_flight_id })
    assert.equal(status, 201, JSON.stringify(body))
    return { bundle: String(body.vip_bundle_id), booking: String(body.booking_id) }
  }
  const shown = async (bundle: string): Promise<Shown> => {
    const { status, body } = await client.get(`/vip-bundles/${bundle}`)
    assert.equal(status, 200, JSON.stringify(body))
    return body as Shown
  }
  const ends = (bundle: string, status: string) =>
    until(`the bundle has ${status}`, async () => (await shown(bundle)).status === status, 30_000)
  /** What the transportation service has for this bundle. */
  async function bookedFor(bundle: string): Promise<number> {
    const { flight_tickets, taxi_bookings } = (await (await fetch(cluster.gateway.addr)).json()) as Left
    return [...flight_tickets, ...taxi_bookings].filter((item) => JSON.stringify(item).includes(bundle)).length
  }
  const seatsLeft = async (show: string) => (await client.get(`/shows/${show}`)).body.seats_left

  test('all of it is booked', async () => {
    const show = await client.createShow(5)
    const { bundle, booking } = await book(show)
    await ends(bundle, 'succeeded')
    assert.equal(await bookedFor(bundle), 2 + 2 + 1)
    assert.equal((await client.get(`/bookings/${booking}`)).body.bundle_id, bundle)
    assert.equal(await seatsLeft(show), 3)
    assert.equal((await client.post(`/vip-bundles/${bundle}/cancel`, {})).status, 409)
  })

  test('a show that is sold out ends it at once', async () => {
    const { bundle } = await book(await client.createShow(1))
    await ends(bundle, 'failed')
    const { rollback_reason } = await shown(bundle)
    assert.equal(rollback_reason, '2 seats asked for, 1 left')
    assert.equal(await bookedFor(bundle), 0)
  })

  const refusals: [what: string, about: string, canceled: number][] = [
    ['inbound flight', `"${inbound_flight_id}"`, 0],
    ['return flight', `"${return_flight_id}"`, 2],
    ['taxi', '/taxi-booking', 4],
  ]
  for (const [what, about, canceled] of refusals) {
    test(`no ${what}: what was booked before is undone`, async () => {
      const report = async () => (await (await fetch(cluster.gateway.addr)).json()) as Left
      const before = (await report()).canceled_transportation.length
      await fault({ transportation: { sold_out: true, about } })
      const show = await client.createShow(5)
      const { bundle, booking } = await book(show)
      await ends(bundle, 'failed')
      assert.equal((await report()).canceled_transportation.length - before, canceled)
      assert.equal(await bookedFor(bundle), 0)
      const { tickets } = (await client.get(`/bookings/${booking}`)).body as { tickets: Record<string, string> }
      assert.deepEqual(Object.values(tickets), ['gone', 'gone'])
      assert.equal(await seatsLeft(show), 5)
    })
  }

  test('what keeps failing is shown in its step, and waited for', async () => {
    const failingIn = async (bundle: string, step: string) =>
      (await shown(bundle)).steps.find(({ name }) => name === step)?.failing_calls ?? []
    await fault({ transportation: { status: 503, about: '/taxi-booking' } })
    const { bundle } = await book(await client.createShow(5))
    await until('the taxi is asked for in vain', async () => (await failingIn(bundle, 'taxi')).length > 0)
    assert.equal((await client.post(`/vip-bundles/${bundle}/cancel`, {})).status, 202)
    assert.equal((await shown(bundle)).status, 'awaiting-outcome')
    await fault({ transportation: { status: 503, about: 'DELETE ' } })
    await until('it cannot be canceled', async () => (await failingIn(bundle, 'undoing-taxi')).length > 0)
    const [call] = await failingIn(bundle, 'undoing-taxi')
    assert.deepEqual([call?.request, call?.is_dead_letter], ['CancelTaxi', false])
    assert.equal(call?.last_error, '503: set by /_faults')
    await fault({})
    await ends(bundle, 'failed')
    assert.equal(await bookedFor(bundle), 0)
    assert.deepEqual(await failingIn(bundle, 'undoing-taxi'), [])
    assert.deepEqual(await failingIn(bundle, 'taxi'), [])
  })

  test('and the record agrees with itself', async () => {
    await until('nothing is under way', async () => {
      const [row] = await cluster.sql`select count(*)::int as behind from partition where published < head`
      return row?.behind === 0
    })
    await checkInvariants(cluster)
  })
})

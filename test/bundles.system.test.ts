import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { VipBundleView } from '../schemas/http.ts'
import { type Asked, about, BundleGuests, type Telling } from './support/bundle-guests.ts'
import { Client } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { checkInvariants } from './support/invariants.ts'
import { until } from './support/wait.ts'

const journey: Telling[] = ['inbound booked', 'return booked', 'taxi booked']
const wayThere = ['booking', 'inbound-flight', 'return-flight', 'taxi', 'confirmations']
const wayBack = ['undoing-taxi', 'undoing-return-flight', 'undoing-inbound-flight', 'undoing-booking']

/** Dead Nation confirms nothing by itself: each test says when. */
describe('a VIP bundle, against services that are simulated', () => {
  let cluster: Cluster
  let guests: BundleGuests
  before(async () => {
    cluster = await startCluster({ confirmAfterMs: 600_000 })
    guests = await BundleGuests.listen(cluster, new Client((await cluster.addDaemon()).url))
  })
  after(async () => {
    await guests.close()
    await cluster.stop()
  })

  const askAnew = async () => guests.ask(await guests.newOrder())
  const cancel = ({ id }: { id: string }) => guests.client.post(`/vip-bundles/${id}/cancel`, {})
  const stepsOf = ({ steps }: VipBundleView) => steps.map(({ name }) => name)
  const namesOf = (booking: string) => guests.eventsOf('booking', booking).map(({ name }) => name)
  /** Waits until the journey is booked and some of the tickets are confirmed. @returns these */
  const reachConfirmations = async (asked: Asked, count: number): Promise<string[]> => {
    await guests.reach(asked, 'confirmations')
    await guests.confirm(asked, count)
    await until('they are known', async () => Object.keys((await guests.seeBooking(asked)).tickets).length === count)
    return Object.keys((await guests.seeBooking(asked)).tickets)
  }

  test('what fails is shown with its attempts and error; it keeps its key, which no other call has', async () => {
    const order = await guests.newOrder()
    const legs = [
      { step: 'inbound-flight', call: about.inbound(order), fault: { status: 503 }, error: /^503: set by/ },
      {
        step: 'return-flight',
        call: about.return(order),
        fault: { reset_after_success: true },
        error: /hang up|RESET/,
      },
      { step: 'taxi', call: about.taxi(order), fault: { garbage: true }, error: /^200: <html>/ },
    ] as const
    const mends = legs.map(({ call, fault }) => guests.breakService('transportation', { ...fault, about: call }))
    const asked = await guests.ask(order)
    const seenKeys: string[] = []
    for (const [index, { step, call, error }] of legs.entries()) {
      const failing = async () => (await guests.reach(asked, step)).steps.at(-1)?.failing_calls ?? []
      await until('it has failed twice', async () => ((await failing())[0]?.attempts ?? 0) > 1)
      const [first, ...others] = await failing()
      assert.match(first?.last_error ?? '', error)
      assert.deepEqual([first?.is_dead_letter, others], [false, []])
      const calls = cluster.gateway.report().last_calls.filter(({ body }) => JSON.stringify(body).includes(call))
      const keys = calls.flatMap(({ idempotency_key: key, body }) => [
        key,
        (body as typeof body & Keyed).idempotency_key,
      ])
      assert.ok(calls.length > 1)
      assert.equal(new Set(keys).size, 1)
      seenKeys.push(String(keys[0]))
      mends[index]?.()
    }
    assert.equal(new Set(seenKeys).size, legs.length)
    await guests.reach(asked, 'confirmations')
    await guests.confirm(asked)
    const { steps } = await guests.checkEnd(asked, 'succeeded', journey)
    assert.ok(steps.every(({ failing_calls }) => failing_calls.length === 0))
  })

  describe('comes to one end', { concurrency: true }, () => {
    test('which is a good one when all of it is booked and confirmed', async () => {
      const asked = await askAnew()
      await guests.reach(asked, 'confirmations')
      await guests.confirm(asked)
      const bundle = await guests.checkEnd(asked, 'succeeded', journey)
      assert.deepEqual(stepsOf(bundle), wayThere)
      const times = bundle.steps.flatMap(({ began_at, ended_at }) => [began_at, String(ended_at)])
      assert.deepEqual(times, times.toSorted())
      const [made, ...others] = guests.eventsOf('booking', asked.booking)
      const { show_id, number_of_tickets, customer_email } = asked.order
      const fields = { booking_id: asked.booking, show_id, number_of_tickets, customer_email }
      assert.deepEqual([made?.name, made?.fields, others], ['BookingMade_v1', fields, []])
      const { status, body } = await cancel(asked)
      assert.deepEqual([status, body.type], [409, '/problems/vip-bundle-succeeded'])
    })

    test('also when its tickets are confirmed before the journey is booked', async () => {
      const order = await guests.newOrder()
      const mend = guests.breakService('transportation', { status: 503, about: about.taxi(order) })
      const asked = await guests.ask(order)
      await guests.reach(asked, 'taxi')
      await guests.confirm(asked)
      await until('it knows', async () => (await guests.see(asked)).are_tickets_confirmed)
      mend()
      const bundle = await guests.checkEnd(asked, 'succeeded', journey)
      assert.deepEqual(stepsOf(bundle), wayThere.slice(0, -1))
    })

    test('once, however often it is asked for with one key', async () => {
      const order = await guests.newOrder()
      const key = { 'Idempotency-Key': randomUUID() }
      const [asked, ...again] = await Promise.all([1, 2, 3].map(() => guests.ask(order, key)))
      assert.ok(asked)
      for (const one of again) assert.deepEqual(one, asked)
      assert.deepEqual(await guests.ask(order, key), asked)
      const other = await guests.client.post('/book-vip-bundle', { ...order, passengers: ['Kate', 'Del'] }, key)
      assert.equal(other.status, 422)
      await guests.reach(asked, 'confirmations')
      await guests.confirm(asked)
      await guests.checkEnd(asked, 'succeeded', journey)
    })

    test('a bad one at once when the show is sold out, without a call', async () => {
      const order = await guests.newOrder()
      const six = { ...order, number_of_tickets: 6, passengers: Array.from({ length: 6 }, (_, i) => `Kate ${i}`) }
      const asked = await guests.ask(six)
      const bundle = await guests.checkEnd(asked, 'failed', [])
      assert.deepEqual(stepsOf(bundle), ['booking'])
      await until('the failure is told', () => namesOf(asked.booking).length > 0)
      const [{ name, fields } = {}, ...others] = guests.eventsOf('booking', asked.booking)
      const failure_reason = bundle.rollback_reason
      assert.deepEqual([name, fields, others], ['BookingFailed_v1', { booking_id: asked.booking, failure_reason }, []])
      const { bookings } = cluster.gateway.report() as unknown as { bookings: { booking_id: string }[] }
      assert.ok(!bookings.some(({ booking_id }) => booking_id === asked.booking))
    })

    for (const [call, between, undone] of [
      ['inbound', ['inbound refused'], ['undoing-booking']],
      ['return', ['inbound booked', 'return refused'], ['undoing-inbound-flight', 'undoing-booking']],
      ['taxi', ['inbound booked', 'return booked', 'taxi refused'], wayBack.slice(1)],
    ] as const) {
      test(`a bad one when the ${call} is refused; tickets that are confirmed later are refunded`, async () => {
        const order = await guests.newOrder()
        guests.breakService('transportation', { sold_out: true, about: about[call](order) })
        const asked = await guests.ask(order)
        await guests.reach(asked, 'undoing-booking')
        const isTold = () => guests.eventsOf('bundle', asked.id).some(({ name }) => name.endsWith('Failed_v1'))
        await until('the refusal is told', isTold)
        await guests.confirm(asked)
        const bundle = await guests.checkEnd(asked, 'failed', [...between])
        const there = wayThere.slice(0, wayThere.indexOf(bundle.steps.at(-undone.length - 1)?.name ?? '') + 1)
        assert.deepEqual(stepsOf(bundle), [...there, ...undone])
        assert.equal(bundle.rollback_reason, 'sold out')
        await checkRefunds(asked)
      })
    }

    test('a bad one when Dead Nation refuses', async () => {
      const order = await guests.newOrder()
      // It refuses when the journey is booked in part, and not before.
      const hold = guests.breakService('dead-nation', { status: 503, about: about.tickets(order) })
      const mend = guests.breakService('transportation', { status: 503, about: about.return(order) })
      const asked = await guests.ask(order)
      await guests.reach(asked, 'return-flight')
      hold()
      guests.breakService('dead-nation', { status: 409, about: about.tickets(order) })
      await guests.reach(asked, 'awaiting-outcome')
      mend()
      const bundle = await guests.checkEnd(asked, 'failed', ['inbound booked', 'return booked'])
      assert.equal(bundle.rollback_reason, 'sold out')
      assert.deepEqual(namesOf(asked.booking), ['BookingMade_v1', 'BookingFailed_v1'])
    })

    for (const [what, undo] of [
      ['one of its tickets is canceled', (asked: Asked, ticket: string) => guests.report(asked, ticket, 'canceled')],
      ['one of its tickets is refunded', (_: Asked, ticket: string) => guests.client.put(`/ticket-refund/${ticket}`)],
      ['its booking is canceled', ({ booking }: Asked) => guests.client.post(`/bookings/${booking}/cancel`, {})],
      ['an operator says so', (asked: Asked) => cancel(asked)],
    ] as const) {
      test(`a bad one when ${what} before the end; a ticket that is confirmed later is refunded`, async () => {
        const asked = await askAnew()
        const [ticket = ''] = await reachConfirmations(asked, 1)
        await undo(asked, ticket)
        await guests.reach(asked, 'undoing-booking')
        await guests.confirm(asked, 1)
        const bundle = await guests.checkEnd(asked, 'failed', journey)
        assert.deepEqual(stepsOf(bundle), [...wayThere, ...wayBack])
        assert.deepEqual(namesOf(asked.booking), ['BookingMade_v1'])
        // Saying so again changes nothing.
        assert.equal((await cancel(asked)).status, 202)
        await guests.checkEnd(asked, 'failed', journey)
      })
    }

    test('a bad one when an operator stops it while a call is under way; what that books is undone', async () => {
      const order = await guests.newOrder()
      const mend = guests.breakService('transportation', { reset_after_success: true, about: about.inbound(order) })
      const asked = await guests.ask(order)
      await guests.reach(asked, 'inbound-flight')
      assert.equal((await cancel(asked)).status, 202)
      await guests.reach(asked, 'awaiting-outcome')
      mend()
      await guests.reach(asked, 'undoing-booking')
      await guests.confirm(asked)
      const bundle = await guests.checkEnd(asked, 'failed', ['inbound booked'])
      assert.equal(bundle.rollback_reason, 'it was canceled by an operator')
      await checkRefunds(asked)
    })

    test('and there is none to be stopped where there is no bundle', async () => {
      assert.equal((await cancel({ id: randomUUID() })).status, 404)
    })
  })

  test('and the record agrees', async () => {
    await checkInvariants(cluster)
  })

  async function checkRefunds(asked: Asked): Promise<void> {
    for (const ticket of Object.keys((await guests.seeBooking(asked)).tickets)) {
      const told = () => guests.eventsOf('ticket', ticket).filter(({ name }) => name === 'TicketRefunded_v1')
      await until('its refund is told', () => told().length > 0)
      assert.deepEqual(
        told().map(({ fields }) => fields),
        [{ ticket_id: ticket, booking_id: asked.booking }],
      )
    }
  }
})

type Keyed = { idempotency_key: string }

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { about, BundleGuests, type Telling } from './support/bundle-guests.ts'
import { Client } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { checkInvariants } from './support/invariants.ts'
import { until } from './support/wait.ts'

const settings = { BOOKING_DEADLINE_MS: '5000', BUNDLE_STEP_DEADLINE_MS: '2000' }

/** Nothing of this is confirmed unless a test says so. */
describe('a VIP bundle whose deadlines pass', () => {
  let cluster: Cluster
  let guests: BundleGuests
  before(async () => {
    cluster = await startCluster({ confirmAfterMs: 600_000 })
    guests = await BundleGuests.listen(cluster, new Client((await cluster.addDaemon(undefined, settings)).url))
  })
  after(async () => {
    await guests.close()
    await cluster.stop()
  })

  test('fails when its tickets are not confirmed in time; those that are later are refunded', async () => {
    const asked = await guests.ask(await guests.newOrder())
    await guests.reach(asked, 'confirmations')
    await guests.confirm(asked, 1)
    const journey: Telling[] = ['inbound booked', 'return booked', 'taxi booked']
    const { rollback_reason } = await guests.checkEnd(asked, 'failed', journey)
    assert.equal(rollback_reason, '1 of 2 tickets were not confirmed in time')
    const [, failed] = guests.eventsOf('booking', asked.booking)
    const fields = { booking_id: asked.booking, failure_reason: rollback_reason }
    assert.deepEqual([failed?.name, failed?.fields], ['BookingFailed_v1', fields])

    await guests.confirm(asked, 1)
    await until('both are refunded', async () => {
      const standings = Object.values((await guests.seeBooking(asked)).tickets)
      return standings.length === 2 && standings.every((standing) => standing === 'gone')
    })
    await guests.checkEnd(asked, 'failed', journey)
  })

  test('is undone step by step, each for as long as it takes', async () => {
    const order = await guests.newOrder()
    const asked = await guests.ask(order)
    const { parts } = await guests.reach(asked, 'confirmations')
    const [id] = parts['return-flight'].ids
    const mend = guests.breakService('transportation', { status: 503, about: `/${id}` })
    await guests.client.post(`/bookings/${asked.booking}/cancel`, {})
    await until('a cancellation fails', async () => {
      const { steps } = await guests.reach(asked, 'undoing-return-flight')
      const { failing_calls } = steps.at(-1) ?? assert.fail()
      return failing_calls.some(({ request, attempts }) => request === 'CancelFlightTickets' && attempts > 1)
    })
    mend()
    await guests.checkEnd(asked, 'failed', ['inbound booked', 'return booked', 'taxi booked'])
  })

  describe('while transportation is down', { concurrency: true }, () => {
    test('fails when nothing was booked; what is booked once it is back is canceled', async () => {
      const order = await guests.newOrder()
      const mend = guests.breakService('transportation', { status: 503, about: about.inbound(order) })
      const asked = await guests.ask(order)
      const { rollback_reason } = await guests.checkEnd(asked, 'failed', [])
      assert.equal(rollback_reason, 'inbound-flight took too long')
      mend()
      await guests.untilUndone(asked, 'inbound-flight', 2)
    })

    test('fails when what was booked was not answered; it is canceled once it is known', async () => {
      const order = await guests.newOrder()
      const mend = guests.breakService('transportation', { reset_after_success: true, about: about.taxi(order) })
      const asked = await guests.ask(order)
      const { rollback_reason } = await guests.reach(asked, 'failed')
      assert.equal(rollback_reason, 'taxi took too long')
      mend()
      await guests.untilUndone(asked, 'taxi', 1)
    })
  })

  test('and the record agrees', async () => {
    await checkInvariants(cluster)
  })
})

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect, nanos } from '@nats-io/transport-node'
import type { Daemon } from '../ops/sandbox/daemon.ts'
import type { VipBundleView } from '../schemas/http.ts'
import { type Asked, about, BundleGuests, type Telling } from './support/bundle-guests.ts'
import { runCli } from './support/cli.ts'
import { Client } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { checkInvariants } from './support/invariants.ts'
import { until } from './support/wait.ts'

type Held = { asked: Asked; step: VipBundleView['status']; end: 'succeeded' | 'failed'; told: Telling[] }

const journey: Telling[] = ['inbound booked', 'return booked', 'taxi booked']
const settings = { TURNSTILE_LEASE_MS: '2000' }

/** What a call that is under way has come to when its caller dies: the service has done nothing yet, or all of it. */
const faults = [{ hang_ms: 600_000 }, { delay_ms: 600_000 }]

describe('kill -9 while there is a bundle in each step', () => {
  let cluster: Cluster
  let guests: BundleGuests
  let doomed: Daemon
  before(async () => {
    cluster = await startCluster({ confirmAfterMs: 600_000 })
    doomed = await cluster.addDaemon(undefined, settings)
    guests = await BundleGuests.listen(cluster, new Client(doomed.url))
  })
  after(async () => {
    await guests.close()
    await cluster.stop()
  })

  test('every bundle comes to its end, and nothing is left over', async (t) => {
    // Those that have come far go there before anything is wrong.
    const standing = await Promise.all([holdConfirmations(), holdUndoingBooking()])
    const [back, there] = [await prepareWayBack(), await prepareWayThere()]
    const transportation = [...back, ...there].map(({ fault }) => fault)
    cluster.gateway.setFaults({ transportation })
    const held = [
      ...standing,
      await holdBooking(),
      ...(await Promise.all([...back, ...there].map(({ hold }) => hold()))),
    ]
    await until('each call that is to be held is held', () => {
      const { transportation } = cluster.gateway.report().faults as { transportation: { struck: object }[] }
      return transportation.every(({ struck }) => Object.keys(struck).length > 0)
    })
    for (const { asked, step } of held) await guests.reach(asked, step)

    await doomed.process().kill()
    const killedMs = Date.now()
    cluster.gateway.setFaults({ transportation: {} })
    await giveBackSoon(cluster.nats.url)
    guests.client.close()
    guests.client = new Client((await cluster.addDaemon(undefined, settings)).url)
    await run('resume', 'actor', 'show', pausedShow)
    await Promise.all(
      held.map(async ({ asked, end, told }) => {
        // Before there is a booking its tickets are nobody's.
        await until('it is booked', async () => (await guests.seeBooking(asked)).status !== 'reserving', 30_000)
        await guests.confirm(asked)
        await guests.checkEnd(asked, end, told)
      }),
    )
    // What was done, and not answered, was asked for again with the same key.
    assert.ok((cluster.gateway.report().repeats.transportation ?? 0) >= (back.length + there.length) / 2)
    t.diagnostic(`${held.length} bundles ended within ${Date.now() - killedMs} ms of the kill`)
    await checkInvariants(cluster)
  })

  async function holdConfirmations(): Promise<Held> {
    const asked = await guests.ask(await guests.newOrder())
    await guests.reach(asked, 'confirmations')
    return { asked, step: 'confirmations', end: 'succeeded', told: journey }
  }

  /** The tickets of a canceled booking are waited for. */
  async function holdUndoingBooking(): Promise<Held> {
    const { asked } = await holdConfirmations()
    await cancel(asked)
    return { asked, step: 'undoing-booking', end: 'failed', told: journey }
  }

  let pausedShow: string
  /** Its show is paused, so its seats are waited for. */
  async function holdBooking(): Promise<Held> {
    const order = await guests.newOrder()
    pausedShow = order.show_id
    await run('pause', 'actor', 'show', pausedShow)
    await until('it is heard', async () => {
      return (await (await fetch(`${doomed.url}/metrics`)).text()).includes('turnstile_paused{target="actor"} 1')
    })
    return { asked: await guests.ask(order), step: 'booking', end: 'succeeded', told: journey }
  }

  function prepareWayThere() {
    const cases = [
      { step: 'inbound-flight', call: about.inbound, stop: false },
      { step: 'return-flight', call: about.return, stop: false },
      { step: 'taxi', call: about.taxi, stop: false },
      { step: 'awaiting-outcome', call: about.return, stop: true },
    ] as const
    const all = faults.flatMap((fault) => cases.map((one) => ({ ...one, fault })))
    return Promise.all(
      all.map(async ({ step, call, stop, fault }) => {
        const order = await guests.newOrder()
        const hold = async (): Promise<Held> => {
          const asked = await guests.ask(order)
          if (!stop) return { asked, step, end: 'succeeded', told: journey }
          await guests.reach(asked, 'return-flight')
          await cancel(asked)
          return { asked, step, end: 'failed', told: journey.slice(0, 2) }
        }
        return { hold, fault: { ...fault, about: call(order) } }
      }),
    )
  }

  function prepareWayBack() {
    const all = faults.flatMap((fault) => {
      return (['inbound-flight', 'return-flight', 'taxi'] as const).map((part) => ({ part, fault }))
    })
    return Promise.all(
      all.map(async ({ part, fault }) => {
        const { asked } = await holdConfirmations()
        const [id = ''] = (await guests.see(asked)).parts[part].ids
        const hold = async (): Promise<Held> => {
          await cancel(asked)
          return { asked, step: `undoing-${part}`, end: 'failed', told: journey }
        }
        return { hold, fault: { ...fault, about: `/${id}` } }
      }),
    )
  }

  async function cancel({ id }: Asked): Promise<void> {
    assert.equal((await guests.client.post(`/vip-bundles/${id}/cancel`, {})).status, 202)
  }

  async function run(...args: string[]): Promise<void> {
    const { code, out, err } = await runCli(cluster.env, [...args, '--reason', 'a trial', '--by', 'ada'])
    assert.equal(code, 0, `${args.join(' ')}: ${out}${err}`)
  }
})

/** What the dead had in hand comes again after half a minute. A test has no time for that. */
async function giveBackSoon(url: string): Promise<void> {
  const connection = await connect({ servers: url })
  const manager = await jetstreamManager(connection)
  await manager.consumers.update('turnstile-effects', 'transportation', { ack_wait: nanos(1_000) })
  await connection.close()
}

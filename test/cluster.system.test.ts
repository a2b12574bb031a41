import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { findLost } from '../ops/record.ts'
import { defaultPartitions } from '../src/config.ts'
import { Client, startLoad } from './support/client.ts'
import { type Cluster, halves, shares, startCluster } from './support/cluster.ts'
import { checkInvariants } from './support/invariants.ts'
import { until } from './support/wait.ts'

/** The load runs for so many bookings on either side of what happens to the daemons. */
const bookings = 500

describe('two daemons on one NATS and one Postgres', () => {
  let cluster: Cluster
  before(async () => {
    cluster = await startCluster()
  })
  after(() => cluster.stop())

  test('share the partitions evenly; one is killed under load, and the other has them all within 10 s', async (t) => {
    const first = await cluster.addDaemon()
    await until('the first owns everything', async () => (await shares(cluster.sql))[0] === defaultPartitions)
    const second = await cluster.addDaemon()
    const evenAfterMs = await until('both own half', async () => (await shares(cluster.sql)).join() === halves)

    const survivor = new Client(first.url)
    const victim = new Client(second.url)
    const shows = await Promise.all(Array.from({ length: 20 }, () => survivor.createShow(100_000)))
    const loads = [startLoad(survivor, shows, 16), startLoad(victim, shows, 16)]
    await until('both take bookings', () => loads.every(({ report }) => report.booked.length > bookings), 60_000)
    // On the moving system: what is between two partitions at that moment is counted in.
    await checkInvariants(cluster)

    await second.kill()
    const takenAfterMs = await until(
      'the survivor owns everything',
      async () => (await shares(cluster.sql)).join() === String(defaultPartitions),
    )
    const soFar = loads[0]?.report.booked.length ?? 0
    await until('it goes on', () => (loads[0]?.report.booked.length ?? 0) > soFar + bookings, 60_000)
    const [kept, cut] = await Promise.all(loads.map((load) => load.stop()))

    const acknowledged = [...(kept?.booked ?? []), ...(cut?.booked ?? [])]
    assert.deepEqual(await findLost(cluster.sql, acknowledged), [])
    const { turns } = await checkInvariants(cluster)
    assert.ok(turns >= acknowledged.length * 3)
    t.diagnostic(`even after ${evenAfterMs.toFixed(0)} ms, taken over after ${takenAfterMs.toFixed(0)} ms`)
    t.diagnostic(
      `${acknowledged.length} bookings acknowledged, ${turns} turns in the journal, 0 lost; meanwhile ${JSON.stringify(kept?.others)}`,
    )
    survivor.close()
    victim.close()
  })

  test('one is stopped with SIGTERM under load, and no request fails', async (t) => {
    const [first, second] = [await cluster.addDaemon(), await cluster.addDaemon()]
    await until('three share', async () => (await shares(cluster.sql)).length === 3)
    const clients = [new Client(first.url), new Client(second.url)]
    const shows = await Promise.all(
      Array.from({ length: 20 }, () => clients[0]?.createShow(100_000) as Promise<string>),
    )
    const loads = clients.map((client) => startLoad(client, shows, 16))
    await until('both take bookings', () => loads.every(({ report }) => report.booked.length > bookings), 60_000)

    const stopping = second.stop()
    // A load balancer stops sending where readiness fails; what was sent before must be answered.
    await until('it says that it drains', async () => !(await isReady(second.url)))
    const drained = await loads[1]?.stop()
    await stopping
    const soFar = loads[0]?.report.booked.length ?? 0
    await until('the other goes on', () => (loads[0]?.report.booked.length ?? 0) > soFar + bookings, 60_000)
    const kept = await loads[0]?.stop()

    assert.deepEqual([kept?.others, drained?.others], [{}, {}])
    assert.deepEqual(await findLost(cluster.sql, [...(kept?.booked ?? []), ...(drained?.booked ?? [])]), [])
    await checkInvariants(cluster)
    t.diagnostic(`${(kept?.booked.length ?? 0) + (drained?.booked.length ?? 0)} bookings, none failed`)
    for (const client of clients) client.close()
  })
})

async function isReady(url: string): Promise<boolean> {
  const response = await fetch(`${url}/health/ready`).catch(() => undefined)
  await response?.body?.cancel()
  return response?.status === 200
}

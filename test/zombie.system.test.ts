import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { findLost } from '../ops/record.ts'
import { defaultPartitions } from '../src/config.ts'
import { Client, startLoad } from './support/client.ts'
import { type Cluster, halves, shares, startCluster } from './support/cluster.ts'
import { checkInvariants } from './support/invariants.ts'
import { until } from './support/wait.ts'

let cluster: Cluster
before(async () => {
  cluster = await startCluster()
})
after(() => cluster.stop())

test('a worker stopped past its lease and continued writes nothing, says so in one line, and serves on', async (t) => {
  const healthy = await cluster.addDaemon()
  const zombie = await cluster.addDaemon()
  await until('both own half', async () => (await shares(cluster.sql)).join() === halves)
  const clients = [new Client(healthy.url), new Client(zombie.url)]
  const shows = await Promise.all(Array.from({ length: 20 }, () => clients[0]?.createShow(100_000) as Promise<string>))
  const loads = clients.map((client) => startLoad(client, shows, 16))
  await until('both take bookings', () => loads.every(({ report }) => report.booked.length > 200), 60_000)

  // In the middle of its work: it has commits under way and messages in hand when it stops.
  zombie.process().signal('SIGSTOP')
  await until(
    'the healthy one owns everything',
    async () => (await shares(cluster.sql)).join() === String(defaultPartitions),
    15_000,
  )
  const owner = (await cluster.sql`select distinct owner from partition`)[0]?.owner
  zombie.process().signal('SIGCONT')
  await until('it is told that it was fenced', () => fencedLines(zombie.process().lines).length > 0)
  await until('it takes its share again', async () => (await shares(cluster.sql)).join() === halves)

  const soFar = loads[1]?.report.booked.length ?? 0
  await until('it serves on', () => (loads[1]?.report.booked.length ?? 0) > soFar + 200, 60_000)
  const reports = await Promise.all(loads.map((load) => load.stop()))
  assert.equal(fencedLines(zombie.process().lines).length, 1)
  assert.equal(fencedLines(healthy.process().lines).length, 0)
  assert.notEqual(owner, undefined)
  const booked = reports.flatMap((report) => report.booked)
  assert.deepEqual(await findLost(cluster.sql, booked), [])
  const { turns } = await checkInvariants(cluster)
  t.diagnostic(`${booked.length} bookings acknowledged, ${turns} turns in the journal, 0 lost`)
  for (const client of clients) client.close()
})

const fencedLines = (lines: readonly string[]): string[] => lines.filter((line) => line.includes('fenced:'))

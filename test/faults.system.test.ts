import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { findLost } from '../ops/record.ts'
import type { Daemon } from '../ops/sandbox/daemon.ts'
import type { Server } from '../ops/sandbox/server.ts'
import { Client, type LoadReport, startLoad } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { checkInvariants } from './support/invariants.ts'
import { until } from './support/wait.ts'

/** What a client may see while something is away: told to come back, never something false. */
const honest = ['503 unavailable', '503 overloaded', '503 outcome-unknown']

describe('under load', () => {
  let cluster: Cluster
  let daemon: Daemon
  let client: Client
  let shows: string[]

  before(async () => {
    cluster = await startCluster()
    daemon = await cluster.addDaemon()
    client = new Client(daemon.url)
    shows = await Promise.all(Array.from({ length: 20 }, () => client.createShow(1_000_000)))
  })
  after(async () => {
    client.close()
    await cluster.stop()
  })

  test('every connection to Postgres is cut, again and again, and nothing false is said', async (t) => {
    const load = startLoad(client, shows, 16)
    let cut = 0
    for (let round = 0; round < 20; round++) {
      const [row] = await cluster.sql<{ count: number }[]>`
        select count(pg_terminate_backend(pid))::int from pg_stat_activity
        where application_name like 'turnstile%' and pid <> pg_backend_pid()`
      cut += row?.count ?? 0
      const soFar = load.report.booked.length
      await until('bookings go on', () => load.report.booked.length > soFar + 10)
    }
    const report = await load.stop()
    assert.ok(cut >= 20, `only ${cut} connections were cut`)
    await judge(report)
    t.diagnostic(`${cut} connections cut, ${report.booked.length} booked, ${JSON.stringify(report.others)}`)
  })

  for (const name of ['nats', 'postgres'] as const) {
    test(`${name} is killed and comes back, and so does service, by itself within 10 s`, async (t) => {
      const server: Server = cluster[name]
      const load = startLoad(client, shows, 16)
      await until('bookings are made', () => load.report.booked.length > 100)

      await server.kill()
      await until('it is refused honestly', () => refused(load.report) > 20, 20_000)
      assert.equal(await slowestRefusalMs(client, shows), 'within 5 s')
      await server.start()
      const soFar = load.report.booked.length
      const backAfterMs = await until('service is back', () => load.report.booked.length > soFar + 10)
      assert.equal((await client.get('/health/ready')).status, 200)

      const report = await load.stop()
      await judge(report)
      t.diagnostic(`booked again ${backAfterMs.toFixed(0)} ms after the return; ${JSON.stringify(report.others)}`)
    })
  }

  async function judge(report: LoadReport): Promise<void> {
    assert.deepEqual(
      Object.keys(report.others).filter((outcome) => !honest.includes(outcome)),
      [],
    )
    await until(
      'the connection for looking is back',
      async () => (await cluster.sql`select 1`.catch(() => [])).length > 0,
    )
    assert.deepEqual(await findLost(cluster.sql, report.booked), [])
    // What was answered with 503 may still be carried out: the record must be right whatever became of it.
    await until('all work is done', async () => {
      const [row] = await cluster.sql`select count(*)::int from actor where state->>'status' = 'reserving'`
      return row?.count === 0
    })
    await checkInvariants(cluster)
  }
})

async function slowestRefusalMs(client: Client, shows: string[]): Promise<string> {
  const startedMs = performance.now()
  const { status, headers } = await client.book(shows[0] as string)
  assert.equal(status, 503)
  assert.ok(Number(headers['retry-after']) > 0)
  const ms = performance.now() - startedMs
  return ms < 5_000 ? 'within 5 s' : `after ${ms.toFixed(0)} ms`
}

const refused = (report: LoadReport): number => honest.reduce((sum, outcome) => sum + (report.others[outcome] ?? 0), 0)

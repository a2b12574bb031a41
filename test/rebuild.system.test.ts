import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { defaultPartitions } from '../src/config.ts'
import { openStore, type PostgresStore, prepareDatabase } from '../src/store/postgres.ts'
import { runCli } from './support/cli.ts'
import { Client } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { bookingId, type Journal, openJournal } from './support/journal.ts'
import { until } from './support/wait.ts'

/**
 * A read model is made anew while it serves and while turns come in. `REBUILD_TURNS=200000 npm test -- test/rebuild` does it
 * at size, and prints how fast it went.
 */
const turns = Number(process.env.REBUILD_TURNS ?? 5_000)

let cluster: Cluster
let store: PostgresStore
let journal: Journal
let client: Client
before(async () => {
  cluster = await startCluster()
  await prepareDatabase(cluster.postgres.url, defaultPartitions)
  store = await openStore({ url: cluster.postgres.url, applicationName: 'test' })
  journal = await openJournal(store, defaultPartitions)
  client = new Client((await cluster.addDaemon('ingress,projector')).url)
})
after(async () => {
  client.close()
  await store.close()
  await cluster.stop()
})

const standing = async () => {
  const [row] = await cluster.sql<{ turns: string; lag: string }[]>`
    select sum(position) as turns, sum(head - position) as lag
    from projection join partition on partition.id = projection.partition where name = 'ops_bookings'`
  return { turns: Number(row?.turns), lag: Number(row?.lag) }
}
const untilCaughtUp = () =>
  until(
    'it has caught up',
    async () => {
      const { turns, lag } = await standing()
      return lag === 0 && turns === journal.turns
    },
    120_000,
  )

/** Asks one after the other until told to stop; each answer must be what it was before. */
function startReading(expected: Map<string, string>) {
  const paths = [...expected.keys()]
  const tookMs: number[] = []
  let isStopping = false
  const line = async (start: number) => {
    for (let i = start; !isStopping; i++) {
      const path = paths[i % paths.length] as string
      const beganMs = performance.now()
      const { status, body } = await client.get(path)
      tookMs.push(performance.now() - beganMs)
      assert.equal(status, 200, path)
      assert.equal(JSON.stringify(body), expected.get(path), path)
    }
  }
  const lines = [0, 1, 2, 3].map(line)
  return {
    async stop() {
      isStopping = true
      await Promise.all(lines)
      return tookMs.sort((a, b) => a - b)
    },
  }
}

test('a rebuild of ops_bookings gives what was there, row for row, and nobody notices', async (t) => {
  while (journal.turns < turns) await journal.write(200)
  await untilCaughtUp()
  const { bookings, turns: before } = journal
  await cluster.sql`create table live as select * from ops_bookings`
  const [rows] = await cluster.sql`select count(*)::int as count from live`
  assert.ok(rows?.count > turns / 10)

  const answers = new Map<string, string>()
  for (let n = 1; n < bookings && answers.size < 200; n += 7) {
    const { status, body } = await client.get(`/ops/bookings/${bookingId(n)}`)
    if (status === 200) answers.set(`/ops/bookings/${bookingId(n)}`, JSON.stringify(body))
  }

  const reading = startReading(answers)
  let isRebuilding = true
  const writing = (async () => {
    while (isRebuilding) await journal.write(20)
  })()
  const rebuilt = await runCli({ POSTGRES_URL: cluster.postgres.url }, ['projections', 'rebuild', 'ops_bookings'])
  isRebuilding = false
  await writing
  const tookMs = await reading.stop()
  assert.match(rebuilt.out, /^Rebuilt ops_bookings from \d+ turns/, rebuilt.err)
  assert.ok(journal.turns > before, 'turns came in meanwhile')
  assert.ok(tookMs.length > 20, `${tookMs.length} requests`)

  await untilCaughtUp()
  const columns = cluster.sql`partition, kind, id, fields::text, booking_id, receipt_day`
  const [difference] = await cluster.sql`
    select count(*)::int as rows from live
    where (${columns}) not in (select ${columns} from ops_bookings where ops_bookings.partition = live.partition and ops_bookings.id = live.id)`
  assert.equal(difference?.rows, 0)

  // What came in after the snapshot went partly into the old table, partly into the new one: another rebuild must agree.
  await cluster.sql`drop table live`
  await cluster.sql`create table live as select * from ops_bookings`
  const again = await runCli({ POSTGRES_URL: cluster.postgres.url }, ['projections', 'rebuild', 'ops_bookings'])
  assert.match(again.out, /^Rebuilt/, again.err)
  const [either] = await cluster.sql`
    select (select count(*)::int from live) as live, (select count(*)::int from ops_bookings) as rebuilt,
      (select count(*)::int from (select ${columns} from live intersect select ${columns} from ops_bookings) as common) as common`
  assert.deepEqual([either?.rebuilt, either?.common], [either?.live, either?.live])

  const p99 = tookMs[Math.floor(tookMs.length * 0.99)] ?? 0
  t.diagnostic(`${rebuilt.out.trim()} ${tookMs.length} requests were answered meanwhile, p99 ${p99.toFixed(1)} ms.`)
  t.diagnostic(`Undisturbed: ${again.out.trim()}`)
})

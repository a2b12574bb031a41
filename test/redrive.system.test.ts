import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { findLost } from '../ops/record.ts'
import type { Daemon } from '../ops/sandbox/daemon.ts'
import { partitionOf } from '../src/actor/ids.ts'
import { defaultPartitions } from '../src/config.ts'
import { runCli } from './support/cli.ts'
import { Client, startLoad } from './support/client.ts'
import { type Cluster, halves, shares, startCluster } from './support/cluster.ts'
import { checkInvariants } from './support/invariants.ts'
import { until } from './support/wait.ts'

/** How many bookings are made before the loss; more of them make a longer run of it. */
const bookings = Number(process.env.REDRIVE_BOOKINGS ?? 60)

type Received = { effects_by_key: Record<string, Record<string, number>>; sheets: Record<string, string[][]> }

/** Two workers, so that sends go through the broker; one carries out effects. */
describe('NATS loses its store under load', () => {
  let cluster: Cluster
  let daemons: Daemon[]
  let client: Client
  before(async () => {
    cluster = await startCluster({ confirmAfterMs: 50 })
    daemons = [await cluster.addDaemon(), await cluster.addDaemon('worker')]
    client = new Client(daemons[0]?.url ?? '')
  })
  after(async () => {
    client.close()
    await cluster.stop()
  })

  /** What the journal has promised to do and not done. */
  const untaken = async (): Promise<number> => {
    const [row] = await cluster.sql<{ count: number }[]>`
      select count(*)::int from turn cross join lateral json_array_elements(decision->'calls') as call
      where not exists (select from turn as outcome where outcome.meta->>'causationId' = call->>'messageId')`
    return row?.count ?? 0
  }
  /** Tickets without their receipt, file and row, and bookings without their tickets. */
  const unfinished = async (): Promise<number> => {
    const [row] = await cluster.sql<{ count: number }[]>`
      select count(*)::int from actor
      where (kind = 'booking' and state->>'status' = 'made' and state->>'tickets' = '{}')
        or (kind = 'ticket' and (state->>'receipt' is null or state->>'file_name' is null
          or json_array_length(state->'rows') <> 1))`
    return row?.count ?? 0
  }
  /** Whether the broker has stored sends to actors of this worker that it has not taken. */
  const isSentTo = async (worker: Daemon): Promise<boolean> => {
    const sends = await cluster.sql<{ to: string }[]>`
      select send->>'id' as to from turn
      join partition on partition.id = turn.partition and turn.position <= partition.published
      cross join lateral json_array_elements(decision->'sends') as send
      where send->>'messageId' is not null
        and not exists (select from turn as target where target.message_id = (send->>'messageId')::uuid)`
    const owned = await cluster.sql`select id from partition where owner like ${`%-${worker.process().pid}-%`}`
    const partitions = new Set(owned.map(({ id }) => id))
    return sends.some(({ to }) => partitions.has(partitionOf(to, defaultPartitions)))
  }
  const command = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await runCli(cluster.env, args)
    assert.equal(code, 0, out + err)
    return out
  }
  const redriven = async (): Promise<Record<string, number>> => {
    const sum: Record<string, number> = {}
    for (const { url } of daemons) {
      const text = await (await fetch(`${url}/metrics`)).text()
      for (const [, what = '', count] of text.matchAll(/^turnstile_redriven_total\{what="(\w+)"\} (\d+)$/gm))
        sum[what] = (sum[what] ?? 0) + Number(count)
    }
    return sum
  }
  const receiptsAskedFor = async (): Promise<number> => {
    const [row] = await cluster.sql<{ count: number }[]>`
      select count(*)::int from turn where decision->'calls'->0->>'call' = 'receipts'`
    return row?.count ?? 0
  }
  const isOver = async (): Promise<boolean> => {
    const [row] = await cluster.sql<{ due: number; done: number }[]>`
      select count(up_to)::int as due, count(position)::int as done from redrive`
    return row?.due === 0 && row.done > 0
  }

  test('nothing that was answered with 201 is lost, and nothing is done twice', async (t) => {
    const shows = await Promise.all(Array.from({ length: 10 }, () => client.createShow(1_000_000)))
    await until('both own half', async () => (await shares(cluster.sql)).join() === halves)
    // So that effects wait in their queue, and sends in the mailboxes.
    await cluster.sql`insert into pause values ('service', 'receipts', now(), 'test', 'the store is about to be lost')`
    const load = startLoad(client, shows, 16)
    await until('bookings are made', () => load.report.booked.length >= bookings, 60_000)
    await until('receipts are asked for', async () => (await receiptsAskedFor()) >= bookings / 3, 60_000)
    const other = daemons[1] as Daemon
    other.process().signal('SIGSTOP')
    await until('sends wait for it', () => isSentTo(other))
    await cluster.nats.kill()
    rmSync(cluster.nats.streamsFolder, { recursive: true })
    await cluster.nats.start()
    // What it has received and not decided is not to be saved by it.
    await until('the loss is found out', async () => (await cluster.sql`select from redrive`).length > 0)
    other.process().signal('SIGCONT')
    await cluster.sql`delete from pause`
    const startedMs = performance.now()
    const soFar = load.report.booked.length
    await until('bookings go on', () => load.report.booked.length >= soFar + bookings / 3, 60_000)
    const { booked, others } = await load.stop()
    assert.deepEqual(
      Object.keys(others).filter((outcome) => !outcome.startsWith('503 ')),
      [],
    )

    await until('the redrive is over', isOver, 60_000)
    await until('all is done', async () => (await unfinished()) + (await untaken()) === 0, 60_000)
    const tookMs = performance.now() - startedMs
    const again = await redriven()
    for (const what of ['sends', 'calls', 'events']) assert.ok((again[what] ?? 0) > 0, `no ${what} were lost`)
    t.diagnostic(
      `${booked.length} booked; ${JSON.stringify(again)} published again, all done ${(tookMs / 1_000).toFixed(1)} s after`,
    )

    assert.deepEqual(await findLost(cluster.sql, booked), [])
    await checkInvariants(cluster)
    await checkServices()
  })

  /** By key and, where the service knows none, by ticket. */
  async function checkServices(): Promise<void> {
    const received = (await (await fetch(cluster.gateway.addr)).json()) as Received
    for (const [service, keys] of Object.entries(received.effects_by_key)) {
      const twice = Object.entries(keys).filter(([, times]) => times !== 1)
      assert.deepEqual(twice, [], service)
    }
    const printed = (received.sheets['tickets-to-print'] ?? []).map(([ticket]) => ticket)
    const [row] = await cluster.sql<{ count: number }[]>`select count(*)::int from actor where kind = 'ticket'`
    assert.deepEqual([printed.length, new Set(printed).size], [row?.count, row?.count])
  }

  test('afterwards nothing is left to publish, as the command says', async () => {
    const out = await command('redrive', '--dry-run', '--older-than', '0s')
    assert.match(out, /^ +LOOKED AT +TAKEN +TOO YOUNG +TO PUBLISH\nsends +\d+ +\d+ +0 +0\ncalls +\d+ +\d+ +0 +0\n/)
  })

  test('the command publishes events from a given time on', async () => {
    const out = await command('redrive', '--json', '--older-than', '0s', '--events-since', '2020-01-01T00:00:00Z')
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const { counts } = lines.pop()
    assert.equal(lines.length, counts.events.lost)
    assert.deepEqual(new Set(lines.map(({ what, result }) => `${what} ${result}`)), new Set(['event published']))
  })
})

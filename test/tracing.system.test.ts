import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { type Daemon, type DaemonOptions, startDaemon } from '../ops/sandbox/daemon.ts'
import { defaultPartitions } from '../src/config.ts'
import { Client } from './support/client.ts'
import { type Cluster, shares, startCluster } from './support/cluster.ts'
import { type CollectedSpan, drawTree, orphansOf, startCollector, traceFrom } from './support/collector.ts'
import { until } from './support/wait.ts'

type Turn = { traceparent: string; name: string }

describe('a VIP bundle, in a collector of traces', () => {
  let cluster: Cluster
  let collector: Awaited<ReturnType<typeof startCollector>>
  let settings: Record<string, string>
  let client: Client
  const workers: Daemon[] = []
  before(async () => {
    cluster = await startCluster()
    collector = await startCollector()
    settings = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '100',
      TURNSTILE_LEASE_MS: '1000',
      // Whoever asks waits until somebody has taken the dead worker's place.
      TURNSTILE_REQUEST_TIMEOUT_MS: '60000',
    }
    const [front] = await Promise.all([cluster.addDaemon('ingress,effects,projector', settings), startWorker()])
    client = new Client(front.url)
  })
  after(async () => {
    client.close()
    for (const worker of workers) await worker.stop()
    await cluster.stop()
    await collector.close()
  })

  /** On a port of its own: the services call back the ingress. */
  async function startWorker(options: Pick<DaemonOptions, 'nodeArgs' | 'onLine'> = {}): Promise<Daemon> {
    const { PORT: _, ...servers } = cluster.env
    const worker = await startDaemon({
      env: { ...servers, ...settings, CRASH_AT: 'after-commit' },
      roles: 'worker',
      ...options,
    })
    workers.push(worker)
    return worker
  }

  const order = async () => ({
    show_id: await client.createShow(5),
    number_of_tickets: 2,
    customer_email: 'kate@example.com',
    inbound_flight_id: randomUUID(),
    return_flight_id: randomUUID(),
    passengers: ['Kate', 'Del'],
  })

  /**
   * Follows a bundle to its good end, and waits until the collector has all of it that something hangs on: the processes send their
   * spans by and by.
   *
   * @param isWhole what else it is to have
   */
  async function traceOf(
    { status, body }: { status: number; body: Record<string, unknown> },
    isWhole: (trace: CollectedSpan[]) => boolean = () => true,
  ): Promise<CollectedSpan[]> {
    assert.equal(status, 201)
    const bundle = `/vip-bundles/${body.vip_bundle_id}`
    await until('it succeeds', async () => (await client.get(bundle)).body.status === 'succeeded', 60_000)
    let trace: CollectedSpan[] = []
    const isComplete = async () => {
      trace = traceFrom(collector.spans.slice(seenBefore), 'POST /book-vip-bundle')
      const shown = new Set(trace.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`))
      const turns = await journaled(trace[0]?.traceId)
      // The receipt, the print and the row of each ticket may be told after the end of the bundle.
      const lastOnes = turns.filter(({ name }) => /^ticket\.(ReceiptIssued|FileStored|RowAppended)$/.test(name))
      const isShown = lastOnes.length === 6 && turns.every(({ traceparent }) => shown.has(traceparent))
      return isShown && orphansOf(trace).length === 0 && isWhole(trace)
    }
    await until('all of it is in the collector', isComplete, 60_000).catch((error) => {
      assert.fail(`${error}\n${trace.map(({ name }) => name).join('\n')}`)
    })
    return trace
  }
  let seenBefore = 0

  /** The turns of the trace as the journal has them. */
  const journaled = (traceId = 'none') => cluster.sql<Turn[]>`
    select meta->>'traceparent' as traceparent, kind || '.' || (message->>'type') as name
    from turn where meta->>'traceparent' like ${`00-${traceId}-%`}`

  test('is one tree, from the request to the last turn, across processes; it is drawn in docs/tracing.md', async (t) => {
    const isWhole = (trace: CollectedSpan[]) => {
      const drawn = [drawTree(trace), drawnInDocs()].map(withoutCommits)
      return isDeepStrictEqual(drawn[0], drawn[1]) && committedIn(trace).length === turnsIn(trace).length
    }
    const trace = await traceOf(await client.post('/book-vip-bundle', await order()), isWhole)
    t.diagnostic(`\n${drawTree(trace).join('\n')}`)
    assert.equal(new Set(trace.map(({ worker }) => worker)).size, 2)

    const turns = turnsIn(trace)
    const names = (await journaled(trace[0]?.traceId)).map(({ name }) => `turn ${name}`)
    assert.deepEqual(turns.map(({ name }) => name).sort(), names.sort())
    // Everything that was ever decided here, but for the show, belongs to it.
    const [all] = await cluster.sql<{ count: number }[]>`
      select count(*)::int from turn where message->>'type' <> 'CreateShow'`
    assert.equal(turns.length, all?.count)
    assert.deepEqual(committedIn(trace).sort(), turns.map(({ spanId }) => spanId).sort(), 'each was committed once')
  })

  test('is one tree when the worker is killed between a commit and telling of it', async (t) => {
    seenBefore = collector.spans.length
    const ordering = await order()
    const lines: string[] = []
    const nodeArgs = ['--import', 'tsx', '--import', './test/support/crash.ts']
    const doomed = await startWorker({ nodeArgs, onLine: (line) => lines.push(line) })
    await workers[0]?.stop()
    const isAlone = async () => (await shares(cluster.sql)).join() === String(defaultPartitions)
    await until('the doomed worker has all partitions', isAlone, 30_000)
    const asking = client.post('/book-vip-bundle', ordering)
    assert.equal((await doomed.process().exited).signal, 'SIGKILL')
    assert.ok(lines.includes('crash point reached: after-commit'))
    await startWorker()

    const trace = await traceOf(await asking)
    t.diagnostic(`\n${drawTree(trace).join('\n')}`)
    const again = trace.filter(({ attributes }) => attributes['turnstile.told_again'])
    assert.ok(
      again.some(({ name }) => name === 'turn bundle.InitializeVipBundle'),
      'its first turn is shown by its successor',
    )
  })
})

const turnsIn = (trace: CollectedSpan[]) => trace.filter(({ name }) => name.startsWith('turn '))

/** The turns that commits are linked to. */
const committedIn = (trace: CollectedSpan[]): string[] =>
  trace.filter(({ name }) => name === 'commit').flatMap(({ links }) => links.map(({ spanId }) => spanId))

/** How many commits there are depends on what came together; everything else is always the same, but for its order. */
const withoutCommits = (lines: string[]): string[] =>
  lines
    .map((line) => line.trim())
    .filter((line) => line !== 'commit')
    .sort()

function drawnInDocs(): string[] {
  const page = readFileSync(new URL('../docs/tracing.md', import.meta.url), 'utf8')
  const [, tree = ''] = /<!-- tree -->\n```\n([\s\S]*?)\n```/.exec(page) ?? []
  return tree.split('\n')
}

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import net from 'node:net'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { inspect } from 'node:util'
import type { PartitionRow } from '../engine/ports.ts'
import { hasCode } from '../errors.ts'
import { type OpenDatabase, openDatabase, startProxy, until } from './database.fixtures.ts'
import { openStore } from './postgres.ts'
import { afterwards, batchOf, claimed, one } from './store.fixtures.ts'

const isUnavailable = (error: unknown) => hasCode(error, 'database-unavailable')

describe('a connection that breaks', () => {
  let database: OpenDatabase
  before(async () => {
    database = await openDatabase()
  })
  beforeEach(() => database.reset())
  after(() => database.close())

  const terminate = () => database.sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'test commit' and datname = current_database()`

  it('leaves every commit on it unknown, and none of them is sent again', async (test) => {
    const proxy = await startProxy(database.url)
    test.after(() => proxy.close())
    const store = await database.open({ url: proxy.url })
    let row = one(await claimed(store, 'anna', 0))
    const start = row
    await database.sql.unsafe('begin; select from partition where id = 0 for update')
    const results = []
    // More than are sent at once, and the last ones large, so that some are still waiting in the client.
    for (let version = 1; version <= 20; version++) {
      const batch = batchOf(row, { decision: { outcome: 'ignored', because: 'x'.repeat(version * 10_000) } })
      results.push(store.commit(batch))
      row = afterwards(row, batch)
    }
    await database.untilBlocked(1)
    assert.equal((await terminate()).length, 1)
    const outcomes = (await Promise.all(results)).map(({ outcome }) => outcome)
    await database.sql.unsafe('commit')
    assert.deepEqual(new Set(outcomes), new Set(['unknown']))

    const connections = proxy.connections()
    row = start
    for (let count = 1; count <= 50; count++) {
      const batch = batchOf(row, {})
      assert.deepEqual(await store.commit(batch), { outcome: 'committed' })
      row = afterwards(row, batch)
    }
    // The one that these commits needed. What had been waiting opened none for itself.
    assert.equal(proxy.connections(), connections + 1)
    assert.equal((await store.readJournal(0, 0, 100)).length, 50)
  })

  it('again and again, never doubles or loses a turn', async () => {
    const store = await database.open()
    const messages = Array.from({ length: 1_000 }, () => randomUUID())
    const seen = { committed: 0, unknown: 0 }
    let isDone = false
    const killer = (async () => {
      while (!isDone) {
        const { committed } = seen
        await until(() => isDone || seen.committed > committed)
        await terminate()
      }
    })()

    /** Up to three commits under way, each on top of the one before, as the engine does it. */
    async function commitFrom(start: PartitionRow): Promise<void> {
      let row = start
      const results = []
      for (const messageId of messages.slice(row.head, row.head + 3)) {
        const batch = batchOf(row, { messageId })
        results.push(store.commit(batch))
        row = afterwards(row, batch)
      }
      for (const { outcome } of await Promise.all(results)) {
        if (outcome === 'committed' || outcome === 'unknown') seen[outcome]++
        else assert.equal(outcome, 'fenced')
      }
    }

    let row = one(await claimed(store, 'anna', 0))
    while (row.head < messages.length) {
      await commitFrom(row)
      row = one(await claimed(store, 'anna', 0))
    }
    isDone = true
    await killer

    const journal = await store.readJournal(0, 0, messages.length + 1)
    assert.deepEqual(
      journal.map((turn) => turn.messageId),
      messages,
    )
    assert.ok(seen.committed > 0 && seen.unknown > 0, inspect(seen))
  })

  it('is replaced for reads and leases too', async () => {
    const store = await database.open()
    await store.heartbeat('anna', 10_000, 0)
    await database.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name like 'test %' and datname = current_database()`
    await until(() => store.reads.health().then(() => true, isUnavailableSoFar))
    await until(() => store.heartbeat('anna', 10_000, 0).then(() => true, isUnavailableSoFar))
  })
})

describe('a database that goes silent', () => {
  let database: OpenDatabase
  let proxy: Awaited<ReturnType<typeof startProxy>>
  beforeEach(async () => {
    database = await openDatabase()
    proxy = await startProxy(database.url)
  })
  afterEach(async () => {
    await proxy.close()
    await database.close()
  })

  it('fails everything by its deadline, and is asked anew on a new connection', async () => {
    const store = await database.open({ url: proxy.url, deadlineMs: 500 })
    const row = one(await claimed(store, 'anna', 0))
    const first = batchOf(row, {})
    await store.commit(first)
    let next = afterwards(row, first)

    proxy.silence('both')
    const commits = []
    for (let index = 0; index < 20; index++) {
      const batch = batchOf(next, {})
      commits.push(store.commit(batch))
      next = afterwards(next, batch)
    }
    const reads = [store.load([]), store.heartbeat('anna', 10_000, 0), store.reads.health()]
    for (const { outcome } of await Promise.all(commits)) assert.equal(outcome, 'unknown')
    for (const read of await Promise.allSettled(reads)) {
      assert.ok(read.status === 'rejected' && isUnavailable(read.reason))
    }

    proxy.restore()
    const now = one(await claimed(store, 'anna', 0))
    assert.equal(now.head, 1)
    assert.deepEqual(await store.commit(batchOf(now, {})), { outcome: 'committed' })
    assert.equal((await store.readJournal(0, 0, 100)).length, 2)
  })

  it('may have written the commit: claiming the partition again tells', async () => {
    const store = await database.open({ url: proxy.url, deadlineMs: 500 })
    const start = one(await claimed(store, 'anna', 0))
    const first = batchOf(start, {})
    await store.commit(first)
    const row = afterwards(start, first)
    const batch = batchOf(row, {}, {})
    proxy.silence('answers')
    const [result] = await Promise.all([
      store.commit(batch),
      assert.rejects(store.heartbeat('anna', 10_000, 0), isUnavailable),
    ])
    assert.equal(result.outcome, 'unknown')
    proxy.restore()
    assert.deepEqual(one(await claimed(store, 'anna', 0)), { ...afterwards(row, batch), epoch: row.epoch + 1 })
  })

  it('while connecting, too', async () => {
    proxy.silence('both')
    await assert.rejects(openStore({ url: proxy.url, applicationName: 'test', deadlineMs: 200 }), isUnavailable)
    assert.equal(proxy.connections(), 1)
  })
})

describe('the connection of the ingress', () => {
  it('keeps the engine from nothing while its own reads wait', async (test) => {
    const database = await openDatabase()
    test.after(() => database.close())
    const store = await database.open()
    await database.sql.unsafe('begin; lock table worker')
    let isWaiting = true
    const look = store.reads.health().finally(() => {
      isWaiting = false
    })
    await database.untilBlocked(1)
    assert.deepEqual(await store.load([{ partition: 0, kind: 'show', id: randomUUID() }]), [])
    assert.equal(isWaiting, true)
    await database.sql.unsafe('commit')
    await look
  })

  it('gives up after 4 s at the latest, however long the engine may wait', async (test) => {
    const database = await openDatabase()
    test.after(() => database.close())
    const store = await database.open({ deadlineMs: 60_000 })
    await database.sql.unsafe('begin; lock table worker')
    const beganMs = performance.now()
    await assert.rejects(store.reads.health(), isUnavailable)
    assert.ok(performance.now() - beganMs < 10_000)
    await database.sql.unsafe('commit')
  })
})

describe('a database that is not there', () => {
  it('is named by its setting, without its password', async () => {
    const port = await closedPort()
    const options = { url: `postgres://ada:s3cret@127.0.0.1:${port}/none`, applicationName: 'test' }
    await assert.rejects(openStore(options), (error: Error) => {
      assert.ok(isUnavailable(error))
      assert.match(error.message, /POSTGRES_URL.*ECONNREFUSED/)
      assert.doesNotMatch(inspect(error, { depth: 10, showHidden: true }), /s3cret/)
      return true
    })
  })
})

const isUnavailableSoFar = (error: unknown): boolean => {
  assert.ok(isUnavailable(error), inspect(error))
  return false
}

async function closedPort(): Promise<number> {
  const server = net.createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

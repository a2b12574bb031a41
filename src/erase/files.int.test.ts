import assert from 'node:assert/strict'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { erasedEmail, eraserOf } from '../actor/erasure.ts'
import { archiveTo, filesIn, oldRecord, shown, verified } from '../archive/archive.fixtures.ts'
import type { StoredMessages } from '../broker/stored.ts'
import { systemClock } from '../clock.ts'
import { type CrashPoint, watchCrashPoints } from '../crash-points.ts'
import { openArchiveStore } from '../store/archive.ts'
import { type OpenDatabase, openDatabase } from '../store/database.fixtures.ts'
import { openErasure } from '../store/erasure.ts'
import { loadRecord } from '../store/inspection.fixtures.ts'
import type { WholeRecord } from '../store/memory-inspection.ts'
import { readModelsOf } from '../verify/read-models.fixtures.ts'
import { eraseCustomer, type Outcome } from './erase.ts'

const email = 'Kate@example.com'
/** Another customer, who has booked all that lies in partition 0. */
const other = 'del@example.com'
const points: CrashPoint[] = ['archive-written', 'archive-replaced']

function recordOfTwo(): WholeRecord {
  const given = <Row extends { partition: number }>(row: Row): Row =>
    row.partition === 0 ? JSON.parse(JSON.stringify(row).replaceAll(email.toLowerCase(), other)) : row
  const record = oldRecord()
  const own = { ...record, turns: record.turns.map(given), actors: record.actors.map(given) }
  return { ...own, readModels: readModelsOf(own) }
}

describe('an erasure of what is archived, on Postgres', () => {
  const record = recordOfTwo()
  let database: OpenDatabase
  let folder: string
  let acts: string[]
  before(async () => {
    database = await openDatabase()
  })
  after(() => database.close())
  beforeEach(async () => {
    acts = []
    await loadRecord(database.sql, record)
    await database.sql`truncate redrive`
    folder = await mkdtemp(path.join(tmpdir(), 'archive-'))
    await archiveTo(folder, connection())
  })
  afterEach(async () => {
    watchCrashPoints(() => {})
    await rm(folder, { recursive: true })
  })

  const connection = () => ({ url: database.url, applicationName: 'test', deadlineMs: 10_000 })

  /** As the command does it, with nothing in the streams. */
  async function erase(options: { email?: string; isDryRun?: boolean; folder?: string } = {}): Promise<Outcome> {
    const store = openErasure(connection())
    const archive = { store: openArchiveStore(connection()), folder: options.folder }
    const stored = { async *read() {}, mailboxStream: async () => '', offer() {} } as unknown as StoredMessages
    const audit = { append: async ({ act }: { act: string }) => void acts.push(act) }
    const customer = options.email ?? email
    const work = {
      ...{ email: customer, erase: eraserOf(customer), isDryRun: options.isDryRun ?? false },
      showProgress: () => {},
    }
    try {
      return await eraseCustomer(work, { store, stored, archive, audit, clock: systemClock }, { who: 'ada' }, 10_000)
    } finally {
      await Promise.all([store.close(), archive.store.close()])
    }
  }

  /** The files that have this text in them. */
  async function naming(text: string): Promise<string[]> {
    const { found } = await filesIn(folder)
    const texts = await Promise.all(found.map(async (name) => gunzipSync(await readFile(path.join(folder, name)))))
    return found.filter((_, index) => texts[index]?.toString().toLowerCase().includes(text.toLowerCase()))
  }

  /** The customer is in no file, and the record is whole. */
  async function checkErased(archived: number): Promise<void> {
    assert.deepEqual(await naming(email), [])
    const { found, listed } = await filesIn(folder)
    assert.deepEqual(found, listed)
    const findings = await verified(connection())
    assert.ok(findings.isClean, JSON.stringify(findings.verdicts))
    assert.equal(findings.verdicts.positions.looked, record.turns.length)
    assert.equal(findings.archived, archived)
  }

  test('writes the files anew that name the customer, and no others', async () => {
    const { found } = await filesIn(folder)
    const [own, others] = [await naming(email), await naming(other)]
    assert.ok(others.length > 0 && others.length < found.length)
    assert.ok((await naming('"Del"')).length > 0)
    const { archived } = await verified(connection())
    const { files } = await erase({ isDryRun: true })
    assert.deepEqual([files, await naming(email)], [own.length, own])

    assert.equal((await erase({ email: other })).files, others.length)
    assert.deepEqual(await naming(other), [])
    const kept = (await filesIn(folder)).found.filter((name) => found.includes(name))
    assert.deepEqual(
      kept,
      found.filter((name) => !others.includes(name)),
    )
    const outcome = await erase()
    assert.deepEqual([outcome.files, outcome.isDone], [own.length, true])
    await checkErased(archived)
    assert.deepEqual(await naming('"Del"'), [], 'nor the passengers of the bundles')
    assert.equal((await erase()).files, 0)
  })

  test('a life is told as before, but for the address', async () => {
    const wanted = ['show', 'booking', 'ticket'].map((kind) => {
      const own = record.actors.filter((actor) => actor.kind === kind && actor.partition > 0)
      return [kind, own.sort((a, b) => b.version - a.version)[0]?.id ?? '']
    })
    const tell = () => Promise.all(wanted.map((args) => shown(connection(), ...args)))
    const earlier = await tell()
    assert.ok(earlier.join().includes(email.toLowerCase()))
    await erase()
    assert.deepEqual(
      await tell(),
      earlier.map((text) => text.replaceAll(email.toLowerCase(), erasedEmail)),
    )
  })

  for (const point of points)
    test(`goes on after it died at ${point}`, async () => {
      const { archived } = await verified(connection())
      for (const time of [1, 2]) {
        let left = time
        watchCrashPoints((reached) => {
          if (reached === point && --left === 0) throw new Error('died')
        })
        await assert.rejects(erase(), { message: 'died' })
        const { verdicts } = await verified(connection())
        assert.equal(verdicts.archive.differences + verdicts.positions.differences, 0)
      }
      watchCrashPoints(() => {})
      assert.ok(!acts.includes('erased'))
      assert.ok((await erase()).isDone)
      await checkErased(archived)
    })

  test('that died is no hindrance to an archiver, who clears away what it left', async () => {
    watchCrashPoints((reached) => {
      if (reached === 'archive-replaced') throw new Error('died')
    })
    await assert.rejects(erase(), { message: 'died' })
    watchCrashPoints(() => {})
    const before = await filesIn(folder)
    assert.notDeepEqual(before.found, before.listed)
    await archiveTo(folder, connection())
    const { found, listed } = await filesIn(folder)
    assert.deepEqual([found, found.length], [listed, before.found.length - 1])
  })

  test('is not done when a file cannot be read, and writes none', async () => {
    const before = await filesIn(folder)
    const name = path.join(folder, before.found.at(-1) ?? '')
    const content = await readFile(name)
    await writeFile(name, content.subarray(1))
    await assert.rejects(erase(), { code: 'archive-unreadable', message: /is not what was written\. Bring it back/ })
    await assert.rejects(erase({ isDryRun: true }), { code: 'archive-unreadable' })
    assert.deepEqual([await filesIn(folder), acts], [before, ['erase']])
    await writeFile(name, content)
    assert.ok((await erase()).isDone)
    assert.deepEqual(await naming(email), [])
  })

  test('finds an archive that has been moved, and leaves it where it is', async () => {
    await rename(folder, `${folder}-moved`)
    try {
      await assert.rejects(erase(), { code: 'archive-unreadable', message: /--archive/ })
      assert.ok((await erase({ folder: `${folder}-moved` })).files > 0)
      assert.ok((await verified(connection(), `${folder}-moved`)).isClean)
    } finally {
      await rename(`${folder}-moved`, folder)
    }
    const { isClean, archived } = await verified(connection())
    assert.ok(isClean)
    await checkErased(archived)
  })

  test('waits for nobody who archives', async () => {
    const store = openArchiveStore(connection())
    assert.ok(await store.begin())
    await assert.rejects(erase(), { code: 'archive-busy' })
    await store.close()
    assert.ok((await erase()).isDone)
  })
})

import assert from 'node:assert/strict'
import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { type CrashPoint, watchCrashPoints } from '../crash-points.ts'
import { archivedEvents } from '../projections/commands/archived.ts'
import { projections } from '../projections/index.ts'
import { rebuild } from '../projections/rebuild.ts'
import { openArchiveStore } from '../store/archive.ts'
import { type OpenDatabase, openDatabase } from '../store/database.fixtures.ts'
import { loadRecord } from '../store/inspection.fixtures.ts'
import { openRebuild } from '../store/projections.ts'
import type { Findings } from '../verify/findings.ts'
import { archiveTo, filesIn, oldRecord, shown, verified } from './archive.fixtures.ts'
import { openArchive } from './read.ts'

const points: CrashPoint[] = ['archive-written', 'archive-recorded', 'archive-step']

describe('archiving, on Postgres', () => {
  const record = oldRecord()
  let database: OpenDatabase
  let folder: string
  before(async () => {
    database = await openDatabase()
  })
  after(() => database.close())
  beforeEach(async () => {
    await load()
    folder = await mkdtemp(path.join(tmpdir(), 'archive-'))
  })
  afterEach(async () => {
    watchCrashPoints(() => {})
    await rm(folder, { recursive: true })
  })

  const load = async () => {
    await loadRecord(database.sql, record)
    await database.sql`truncate redrive`
  }
  const connection = () => ({ url: database.url, applicationName: 'test', deadlineMs: 10_000 })

  const archive = (options: { isDryRun?: boolean; beforeMs?: number } = {}) => archiveTo(folder, connection(), options)
  const look = () => verified(connection())
  const shownOf = (...args: string[]) => shown(connection(), ...args)
  const filesThere = () => filesIn(folder)

  /** Nothing is lost and nothing twice, wherever it lies. */
  async function checkWhole(): Promise<Findings> {
    const findings = await look()
    assert.ok(findings.isClean, JSON.stringify(findings.verdicts))
    assert.equal(findings.verdicts.positions.looked, record.turns.length)
    return findings
  }

  const inJournal = async (): Promise<number> =>
    Number((await database.sql`select count(*) as turns from turn`)[0]?.turns)

  test('moves the turns of those that have ended, and the record stays whole', async () => {
    const moved = await archive()
    assert.ok(moved > record.turns.length / 2, `${moved} turns were moved`)
    assert.equal(await inJournal(), record.turns.length - moved)
    assert.equal((await checkWhole()).archived, moved)
    const { found, listed } = await filesThere()
    assert.ok(found.length > 3)
    assert.deepEqual(found, listed)
    assert.equal(await archive(), 0)
  })

  test('a life is told as before, at any version', async () => {
    const wanted = ['show', 'booking', 'ticket', 'bundle'].flatMap((kind) => {
      const actor = record.actors.filter((actor) => actor.kind === kind).sort((a, b) => b.version - a.version)[0]
      const versions = Math.min(actor?.version ?? 0, 8)
      return Array.from({ length: versions }, (_, n) => [kind, actor?.id ?? '', '--at', String(n + 1)])
    })
    const earlier = await Promise.all(wanted.map((args) => shownOf(...args)))
    await archive()
    assert.deepEqual(await Promise.all(wanted.map((args) => shownOf(...args))), earlier)
  })

  for (const point of points)
    test(`goes on after it died at ${point}`, async () => {
      for (const time of [1, 4]) {
        let left = time
        watchCrashPoints((reached) => {
          if (reached === point && --left === 0) throw new Error('died')
        })
        await assert.rejects(archive(), { message: 'died' })
        await checkWhole()
      }
      watchCrashPoints(() => {})
      await archive()
      const { archived } = await checkWhole()
      assert.equal(await inJournal(), record.turns.length - archived)
      const { found, listed } = await filesThere()
      assert.deepEqual(found, listed)
      const [row] = await database.sql`select count(*) as left from archive_file where not is_dropped`
      assert.equal(Number(row?.left), 0)
    })

  test('a file that is broken or gone is named, and its turns are not believed', async () => {
    await archive()
    const { found } = await filesThere()
    const [broken = '', gone = ''] = found
    await appendFile(path.join(folder, broken), 'x')
    await rm(path.join(folder, gone))
    const { verdicts } = await look()
    assert.equal(verdicts.archive.differences, 2)
    assert.match(verdicts.archive.first?.found ?? '', new RegExp(`${path.basename(broken)} is not what was written`))
    assert.ok(verdicts.positions.differences > 0)
    const [file] =
      await database.sql`select first_actor, partition from archive_file where name = ${path.basename(gone)}`
    const actor = record.actors.find(({ id }) => id === file?.first_actor)
    await assert.rejects(shownOf(actor?.kind ?? '', actor?.id ?? ''), { code: 'archive-unreadable' })
  })

  test('turns stay in the journal when their file is broken before they have gone', async () => {
    watchCrashPoints((reached) => {
      if (reached === 'archive-recorded') throw new Error('died')
    })
    await assert.rejects(archive(), { message: 'died' })
    watchCrashPoints(() => {})
    const [name = ''] = (await filesThere()).found
    await appendFile(path.join(folder, name), 'x')
    await assert.rejects(archive(), {
      code: 'archive-unreadable',
      message: /is not what was written.*stay where they are/,
    })
    assert.equal(await inJournal(), record.turns.length)
  })

  test('what is young, not in every read model, or waited for stays', async () => {
    assert.equal(await archive({ beforeMs: Date.parse('2019-01-01T00:00:00Z') }), 0)
    await database.sql`update projection set position = 0 where name = 'shows'`
    assert.equal(await archive(), 0)
    await load()
    const booking = record.actors.find(({ kind }) => kind === 'booking')
    await database.sql`
      insert into dead_letter (partition, message_id, kind, actor_id, type, code, cause, payload, headers, meta, at, attempts,
        first_at, last_at)
      values (${booking?.partition ?? 0}, gen_random_uuid(), 'booking', ${booking?.id ?? ''}, 'CancelBooking', 'turn-threw', 'a test', '', '{}',
        '{}', now(), 1, now(), now())`
    const untaken = record.turns.find(({ message }) => message.type === 'FileStored')
    await database.sql`update turn set message_id = gen_random_uuid() where message_id = ${untaken?.messageId ?? ''}`
    await archive()
    const kept = await database.sql`select actor_id from turn group by actor_id`
    const ids = kept.map(({ actor_id }) => actor_id)
    assert.ok(ids.includes(booking?.id) && ids.includes(untaken?.actorId))
    assert.ok(ids.length < record.actors.length)
  })

  test('a dry run counts, and writes nothing', async () => {
    const counted = await archive({ isDryRun: true })
    assert.deepEqual([await inJournal(), (await filesThere()).found], [record.turns.length, []])
    assert.equal(await archive(), counted)
  })

  test('a read model is made anew from the archive and the journal', async () => {
    const rowsOf = (name: string) => database.sql`select * from ${database.sql(name)} order by partition, kind, id`
    await archive()
    for (const projection of projections) {
      const earlier = await rowsOf(projection.name)
      const store = openRebuild(connection())
      await rebuild(
        projection,
        store,
        (files) => archivedEvents(openArchive(), files),
        () => {},
      )
      assert.deepEqual(await rowsOf(projection.name), earlier)
      assert.ok(earlier.length > 0)
      // Whoever rebuilds keeps archivers away, and the other way round.
      await assert.rejects(archive(), { code: 'archive-busy' })
      await store.close()
    }
    const store = openArchiveStore(connection())
    assert.ok(await store.begin())
    const late = openRebuild(connection())
    assert.equal(await late.begin('tickets'), false)
    await Promise.all([store.close(), late.close()])
  })

  test("another database's folder is left alone", async () => {
    await archive()
    const { found } = await filesThere()
    await loadRecord(database.sql, record)
    await assert.rejects(archive(), { code: 'config-invalid', message: /is in no list of this database/ })
    assert.equal(await inJournal(), record.turns.length)
    assert.deepEqual((await filesThere()).found, found)
  })
})

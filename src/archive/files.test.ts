import assert from 'node:assert/strict'
import { appendFile, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { deriveId } from '../actor/ids.ts'
import type { ArchiveFile } from '../engine/archive-ports.ts'
import type { TurnRecord } from '../engine/ports.ts'
import { turnOf } from '../store/store.fixtures.ts'
import { compareTurns, livesOf } from './lives.ts'
import { clearFolder, writeManifest } from './manifest.ts'
import { openArchive } from './read.ts'
import { writeArchiveFile } from './write.ts'

const actorIds = Array.from({ length: 150 }, (_, n) => deriveId('an actor', n)).sort()
/** Of each actor seven turns; position by position everybody has one. */
const turns = Array.from({ length: 7 }, (_, round) =>
  actorIds.map((actorId, n) => turnOf({ actorId, version: round + 1, position: round * actorIds.length + n + 1 })),
).flat()
const sorted = [...turns].sort(compareTurns)

async function* paged(all: TurnRecord[]): AsyncGenerator<TurnRecord[]> {
  for (let from = 0; from < all.length; from += 100) yield all.slice(from, from + 100)
}

async function all(pages: AsyncIterable<TurnRecord[]>): Promise<TurnRecord[]> {
  const read: TurnRecord[] = []
  for await (const page of pages) read.push(...page)
  return read
}

describe('an archive', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'archive-'))
  })
  after(() => rm(folder, { recursive: true }))

  const write = (number: number, own: TurnRecord[]): Promise<ArchiveFile> =>
    writeArchiveFile(folder, {
      partition: 0,
      number,
      turns: own.sort(compareTurns),
      settledBefore: '2030-02-01T00:00:00.000Z',
    })
  const pathOf = ({ name }: ArchiveFile): string => path.join(folder, 'partition-000', name)

  test('has in a file what was put there, for whoever knows its blocks and for zcat', async () => {
    const file = await write(1, turns)
    assert.equal(file.lastPosition, turns.length)
    assert.ok(file.blocks.length > 3)
    assert.deepEqual(await all(openArchive().turns(file)), sorted)
    const lines = gunzipSync(await readFile(pathOf(file)))
      .toString()
      .trimEnd()
      .split('\n')
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      sorted,
    )
    const [id = ''] = actorIds.slice(40)
    const own = sorted.filter(({ actorId }) => actorId === id)
    assert.deepEqual(await all(openArchive().turns(file, { kind: 'booking', id })), own)
    assert.deepEqual(await all(openArchive().turns(file, { kind: 'show', id })), [])
  })

  test('knows a file that is another, or missing, and finds one that has been moved', async () => {
    const file = await write(2, turns.slice(0, 500))
    assert.equal(await openArchive().faultOf(file), undefined)
    await appendFile(pathOf(file), 'x')
    assert.match((await openArchive().faultOf(file)) ?? '', /000002-\S+ is not what was written$/)
    const moved = await write(3, turns.slice(0, 300))
    await rename(folder, `${folder}-moved`)
    try {
      assert.match((await openArchive().faultOf(moved)) ?? '', /cannot be read: ENOENT/)
      await assert.rejects(all(openArchive().turns(moved)), { code: 'archive-unreadable' })
      assert.equal(await openArchive(`${folder}-moved`).faultOf(moved), undefined)
    } finally {
      await rename(`${folder}-moved`, folder)
    }
  })

  test('and the journal together have every life whole', async () => {
    const files = [
      await write(
        4,
        turns.filter(({ version, actorId }) => version <= 3 && actorId < (actorIds[90] ?? '')),
      ),
      await write(
        5,
        turns.filter(({ version, actorId }) => version > 3 && version <= 5 && actorId < (actorIds[90] ?? '')),
      ),
      await write(
        6,
        turns.filter(({ actorId }) => actorId > (actorIds[120] ?? '')),
      ),
    ].map((file) => ({ ...file, isDropped: true }))
    const archived = new Set(
      (await Promise.all(files.map((file) => all(openArchive().turns(file))))).flat().map(({ position }) => position),
    )
    const hot = sorted.filter(({ position }) => !archived.has(position))
    assert.ok(hot.length > 0 && archived.size > 0)
    assert.deepEqual(await all(livesOf(paged(hot), openArchive(), files)), sorted)
    const [id = ''] = actorIds
    const own = sorted.filter(({ actorId }) => actorId === id)
    const hotOwn = hot.filter(({ actorId }) => actorId === id)
    assert.deepEqual(await all(livesOf(paged(hotOwn), openArchive(), files, { kind: 'booking', id })), own)
  })

  test('and the journal may both have a turn while it leaves, and only then', async () => {
    const file = await write(7, turns.slice(0, 400))
    assert.deepEqual(await all(livesOf(paged(sorted), openArchive(), [file])), sorted)
    const twice = await all(livesOf(paged(sorted), openArchive(), [{ ...file, isDropped: true }]))
    assert.equal(twice.length, sorted.length + 400)
  })

  test('clears away what nobody knows of, and leaves what another database has put there', async () => {
    const [known, unknown] = [await write(8, turns.slice(0, 10)), await write(9, turns.slice(0, 20))]
    await writeManifest(folder, 0, [known])
    await clearFolder(folder, 0, [known])
    assert.equal(await openArchive().faultOf(known), undefined)
    assert.match((await openArchive().faultOf(unknown)) ?? '', /ENOENT/)
    await assert.rejects(clearFolder(folder, 0, []), { code: 'config-invalid', message: /000008-\S+ is in no list/ })
    assert.equal(await openArchive().faultOf(known), undefined)
  })

  test('clears away a file in whose place another is known, if that one is there', async () => {
    const own = turns.slice(0, 10)
    const old = await write(10, own)
    const renewed = await write(
      10,
      own.map((turn) => ({ ...turn, message: { type: 'Another' } })),
    )
    await writeManifest(folder, 0, [old])
    await clearFolder(folder, 0, [renewed])
    assert.match((await openArchive().faultOf(old)) ?? '', /ENOENT/)
    assert.equal(await openArchive().faultOf(renewed), undefined)
    await assert.rejects(clearFolder(folder, 0, [old]), { code: 'config-invalid', message: /000010-\S+ is in no list/ })
    assert.equal(await openArchive().faultOf(renewed), undefined, 'a database that was set back has no other')
  })
})

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type OpenDatabase, openDatabase } from './database.fixtures.ts'
import { describeInspection } from './inspection.features.ts'
import { loadRecord } from './inspection.fixtures.ts'
import { openInspection } from './postgres-inspection.ts'
import { openRebuild } from './projections.ts'

let database: OpenDatabase
before(async () => {
  database = await openDatabase()
})
after(() => database.close())

const open = () => openInspection({ url: database.url, applicationName: 'test', deadlineMs: 5_000 })

describeInspection('a record in Postgres', async (record) => {
  await loadRecord(database.sql, record)
  return open()
})

test('a view stays at its moment while the record moves on', async () => {
  await database.reset()
  const inspection = open()
  await inspection.view(0, async (view) => {
    await database.sql`insert into actor (partition, kind, id, version, state) values (0, 'show', gen_random_uuid(), 1, '{}')`
    assert.equal(await view.stray(), undefined)
  })
  assert.equal((await inspection.view(0, (view) => view.stray()))?.kind, 'show')
  await inspection.close()
})

test('while rows are looked at no rebuild takes the place of their table', async () => {
  await database.reset()
  const rebuild = openRebuild({ url: database.url, applicationName: 'test', deadlineMs: 5_000 })
  await rebuild.begin('tickets')
  const inspection = open()
  await inspection.view(
    0,
    async (view) => {
      assert.equal(await rebuild.swap('tickets'), false)
      assert.equal(await view.countRows('tickets'), 0)
    },
    ['tickets', 'shows'],
  )
  assert.ok(await rebuild.swap('tickets'))
  await inspection.close()
  await rebuild.close()
})

import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import postgres from 'postgres'
import { createDatabase, type TestDatabase } from '../../test/support/database.ts'
import { hasCode } from '../errors.ts'
import { numbers, type Sql } from './connection.ts'
import { ensurePartitions, type Migration, migrate } from './migrate.ts'
import { prepareDatabase } from './postgres.ts'

describe('migrations', () => {
  let database: TestDatabase
  let sql: Sql
  beforeEach(async () => {
    database = await createDatabase()
    sql = clientOf(database)
  })
  afterEach(async () => {
    await sql.end()
    await database.drop()
  })

  const first: Migration = { name: '0001-first.sql', text: 'create table one (id int);\ninsert into one values (1);\n' }
  const second: Migration = { name: '0002-second.sql', text: 'create table two (id int)' }

  it('are applied in order, once', async () => {
    assert.deepEqual(await migrate(sql, [first]), [first.name])
    assert.deepEqual(await migrate(sql, [first, second]), [second.name])
    assert.deepEqual(await migrate(sql, [first, second]), [])
    assert.equal((await sql`select * from one`).length, 1)
  })

  it('are applied once when many daemons start at once', async () => {
    const clients = Array.from({ length: 8 }, () => clientOf(database))
    const applied = await Promise.all(clients.map((client) => migrate(client, [first, second])))
    await Promise.all(clients.map((client) => client.end()))
    assert.deepEqual(applied.flat().sort(), [first.name, second.name])
    assert.equal((await sql`select * from one`).length, 1)
  })

  it('are refused when a file is not what was applied', async () => {
    await migrate(sql, [first])
    const changed = { ...first, text: `${first.text}-- a remark` }
    await assert.rejects(migrate(sql, [changed, second]), (error: Error) => {
      return hasCode(error, 'migration-changed') && error.message.includes(first.name)
    })
    assert.equal((await sql`select * from migration`).length, 1)
  })

  it('leave nothing half done when they fail', async () => {
    const broken = { ...second, text: 'create table two (id int); insert into two values (1); select 1 / 0' }
    await assert.rejects(migrate(sql, [first, broken]), /division by zero/)
    assert.equal((await sql`select from pg_tables where tablename = 'two'`).length, 0)
    assert.deepEqual(await migrate(sql, [first, second]), [second.name])
  })

  it('of the house make a database ready, by several at once', async () => {
    const applied = await Promise.all([1, 2, 3].map(() => prepareDatabase(database.url, 64)))
    assert.ok(applied.flat().length > 0)
    assert.equal(new Set(applied.flat()).size, applied.flat().length)
    assert.deepEqual(await prepareDatabase(database.url, 64), [])
    const [row] = await sql`select count(*)::int, min(id), max(id) from partition`
    assert.deepEqual({ ...row }, { count: 64, min: 0, max: 63 })
  })

  it('keep the number of partitions', async () => {
    await prepareDatabase(database.url, 8)
    await assert.rejects(ensurePartitions(sql, 16), (error: Error) => {
      return hasCode(error, 'partitions-mismatch') && error.message.includes('TURNSTILE_PARTITIONS is 16')
    })
    await assert.rejects(prepareDatabase(database.url, 4), (error) => hasCode(error, 'partitions-mismatch'))
  })
})

const clientOf = ({ url }: TestDatabase): Sql =>
  postgres(url, {
    max: 1,
    onnotice: () => {},
    types: numbers,
  })

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import postgres from 'postgres'
import { createDatabase, type TestDatabase } from '../../test/support/database.ts'
import { openAudit } from './audit.ts'
import { hashOf } from './audit-chain.ts'
import { numbers, type Sql } from './connection.ts'
import { openDeadLetters } from './dead-letter-store.ts'
import { migrate } from './migrate.ts'

const folder = new URL('./migrations/', import.meta.url)
const files = readdirSync(folder)
  .sort()
  .map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }))
const letter = '019389c7-1f3a-7b08-8c66-2d94e5b1a703'

let database: TestDatabase
let sql: Sql
before(async () => {
  database = await createDatabase()
  sql = postgres(database.url, { max: 1, onnotice: () => {}, types: numbers })
})
after(async () => {
  await sql.end()
  await database.drop()
})

test('what was done before there was one log is its beginning, without addresses', async () => {
  await migrate(
    sql,
    files.filter(({ name }) => name < '0013'),
  )
  await sql`
    insert into pause_audit (at, who, act, target, name, reason)
    values ('2026-11-02T00:00:00.000005Z', 'bert', 'pause', 'service', 'payments', 'kate@example.com was paid twice')`
  await sql`
    insert into dead_letter_audit (partition, message_id, revision, at, who, act, reason, before)
    values (3, ${letter}::uuid, 1, '2026-11-01T00:00:00Z', 'ada', 'edit', null, '{"revision": 1}')`
  await migrate(sql, files)

  const options = { url: database.url, applicationName: 'test', deadlineMs: 5_000 }
  const log = openAudit(options)
  const rows = await log.last(10)
  assert.deepEqual(
    rows.map(({ at, who, act, subject, reason }) => [at, who, act, subject, reason]),
    [
      ['2026-11-01T00:00:00.000000Z', 'ada', 'edit', `dead letter ${letter}`, null],
      ['2026-11-02T00:00:00.000005Z', 'bert', 'pause', 'service payments', '(an address) was paid twice'],
    ],
  )
  for (const row of rows) assert.equal(row.hash, hashOf(row))
  assert.deepEqual(await log.head(), { seq: 2, hash: rows[1]?.hash })
  await assert.rejects(
    log.append({ act: 'pause', subject: 'it', details: {} }, { who: 'ada', reason: 'for kate@example.com' }),
  )
  await log.close()

  const letters = openDeadLetters(options)
  const [act] = await letters.audit({ partition: 3, messageId: letter })
  assert.deepEqual([act?.who, act?.act, act?.revision, act?.before], ['ada', 'edit', 1, { revision: 1 }])
  await letters.close()
})

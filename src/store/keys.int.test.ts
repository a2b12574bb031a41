import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { type OpenDatabase, openDatabase } from './database.fixtures.ts'

describe('a key that is being claimed by another process', () => {
  let database: OpenDatabase
  before(async () => {
    database = await openDatabase()
  })
  after(() => database.close())

  for (const end of ['commit', 'rollback'] as const) {
    it(`belongs to whom the ${end} of that one leaves it`, async () => {
      const { sql } = database
      const store = await database.open()
      const id = randomUUID()
      await sql`begin`
      await sql`insert into request_key values (${id}, 'theirs', now())`
      const holder = store.reads.claimKey(id, 'ours')
      await database.untilBlocked(1)
      await sql.unsafe(end)
      const isOurs = end === 'rollback'
      assert.deepEqual(await holder, { digest: isOurs ? 'ours' : 'theirs', isNew: isOurs })
    })
  }
})

import { after, before } from 'node:test'
import postgres from 'postgres'
import { createDatabase, type TestDatabase } from '../../test/support/database.ts'
import { alarmFeatures } from './alarms.features.ts'
import { failingCallsFeatures } from './failing-calls.features.ts'
import { feedFeatures } from './feed.features.ts'
import type { StoredLetter } from './memory.ts'
import { openPauses } from './pause-store.ts'
import { openStore, prepareDatabase } from './postgres.ts'
import { redriveFeatures } from './redrive.features.ts'
import { openRedrives } from './redrive.ts'
import { type StoreHarness, storeFeatures } from './store.features.ts'

let database: TestDatabase
let sql: postgres.Sql
before(async () => {
  database = await createDatabase()
  await prepareDatabase(database.url, 4)
  sql = postgres(database.url, { max: 1, onnotice: () => {} })
})
after(async () => {
  await sql.end()
  await database.drop()
})

const open = async (): Promise<StoreHarness> => {
  await sql`truncate partition, worker, turn, actor, dead_letter, request_key, pause, failing_call, broker_stream, redrive, archive_file`
  await sql`insert into partition (id) select generate_series(0, 3)`
  const store = await openStore({ url: database.url, applicationName: 'features' })
  const redrives = openRedrives({ url: database.url, applicationName: 'redrive', deadlineMs: 5_000 })
  const pauses = openPauses({ url: database.url, applicationName: 'operator', deadlineMs: 5_000 })
  return {
    store,
    reads: store.reads,
    feed: store.feed,
    redrives,
    passTime: async (ms) => {
      const age = sql`${ms}::int * interval '1 millisecond'`
      await sql`update worker set lease_until = lease_until - ${age}`
      await sql`update request_key set claimed_at = claimed_at - ${age}`
      await sql`update redrive set due_at = due_at - ${age}`
    },
    pause: async (pause) => void (await pauses.pause(pause, { who: 'ada', reason: 'a try' })),
    resume: async (pause) => void (await pauses.resume(pause, { who: 'ada' })),
    deadLetters: async () => (await sql`select * from dead_letter`).map(letterOfRow),
    settleLetter: async ({ messageId }, status) => {
      await sql`update dead_letter set status = ${status} where message_id = ${messageId}`
    },
    archive: async ({ partition, kind, id, version, before }) => {
      await sql`
        update actor set archived_version = ${version}, archived_before = ${before}
        where partition = ${partition} and kind = ${kind} and id = ${id}`
      await sql`
        with gone as (
          delete from turn where partition = ${partition} and kind = ${kind} and actor_id = ${id} and version <= ${version}
          returning position
        )
        insert into archive_file
        select ${partition}, 'file', 'folder', count(*), ${id}, ${id}, max(position), '', '[]', ${before} from gone`
    },
    close: async () => {
      await Promise.all([store.close(), redrives.close(), pauses.close()])
    },
  }
}

storeFeatures('PostgresStore', open)
alarmFeatures('PostgresStore', open)
feedFeatures('PostgresStore', open)
failingCallsFeatures('PostgresStore', open)
redriveFeatures('PostgresStore', open)

function letterOfRow(row: postgres.Row): StoredLetter {
  const { partition, kind, type, code, cause, stack, headers, meta, attempts } = row
  const at = row.at.toISOString()
  const ids = { actorId: row.actor_id, messageId: row.message_id }
  const payload = Uint8Array.from(row.payload)
  return { partition, kind, type, code, cause, payload, headers, meta, at, attempts, ...ids, ...(stack && { stack }) }
}

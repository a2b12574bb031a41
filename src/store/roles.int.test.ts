import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import postgres from 'postgres'
import { type Group, groups, makeLogins } from '../../test/support/logins.ts'
import { hasCode } from '../errors.ts'
import { type OpenDatabase, openDatabase } from './database.fixtures.ts'
import { sqlState } from './errors.ts'
import { migrate } from './migrate.ts'
import { prepareDatabase } from './postgres.ts'
import { openRebuild } from './projections.ts'

const journaled = '(partition, position, kind, actor_id, version, message_id, at, message, meta, decision)'
const aTurn = "(0, 999, 'show', gen_random_uuid(), 1, gen_random_uuid(), now(), '{}', '{}', '{}')"

/** What nobody may do, whatever kind of process it is. */
const never = [
  'truncate turn',
  'drop table turn',
  'alter table turn add column more text',
  'create table mine (id int)',
  'delete from actor',
  'delete from partition',
  'insert into partition (id) values (99)',
  'delete from dead_letter',
  "update audit set who = 'nobody'",
  'delete from audit',
  'truncate audit',
  'update audit_head set seq = 0',
  "insert into audit (seq, at, who, act, subject, details, previous, hash) values (1, now(), 'x', 'x', 'x', '{}', '', '')",
  'delete from dead_letter_version',
  "insert into migration (name, checksum, at) values ('x', 'x', now())",
  'alter table audit disable trigger chain_audit',
]

/** What only some may do: the statement, and who. */
const some: [statement: string, who: Group[]][] = [
  [`insert into turn ${journaled} values ${aTurn}`, ['worker']],
  ["update turn set message = '{}'", ['eraser']],
  ['select from turn', ['ingress', 'worker', 'projector', 'operator', 'archiver', 'eraser']],
  ['delete from turn', ['archiver']],
  ['update archive_file set is_dropped = is_dropped', ['archiver', 'eraser']],
  ["update actor set state = '{}'", ['worker', 'archiver', 'eraser']],
  ['select from actor', ['ingress', 'worker', 'operator', 'archiver', 'eraser']],
  ['update partition set epoch = epoch', ['worker', 'archiver', 'eraser']],
  ["insert into worker (id, lease_until, lag) values ('x', now(), 0)", ['worker']],
  ["insert into request_key (id, digest, claimed_at) values (gen_random_uuid(), 'x', now())", ['ingress']],
  ["insert into pause (target, name, since, who, reason) values ('kind', 'show', now(), 'x', 'x')", ['operator']],
  ['delete from pause', ['operator']],
  ['update projection set position = position', ['projector', 'operator']],
  ['delete from tickets', ['projector']],
  ["insert into shows (partition, kind, id, fields) values (0, 'show', gen_random_uuid(), '{}')", ['projector']],
  ['select from tickets', ['ingress', 'projector', 'operator', 'eraser']],
  ['update dead_letter set attempts = attempts', ['worker', 'effects', 'operator', 'eraser']],
  ['delete from failing_call', ['effects']],
  ["insert into audit (who, act, subject, details) values ('x', 'x', 'x', '{}')", ['projector', 'operator', 'eraser']],
  ['select from audit', ['operator', 'eraser']],
  ["select begin_rebuild('shows')", ['operator']],
]

describe('the roles of processes', () => {
  let database: OpenDatabase
  let logins: Awaited<ReturnType<typeof makeLogins>>
  const clients = {} as Record<Group, postgres.Sql>
  before(async () => {
    database = await openDatabase()
    await prepareDatabase(database.url, 4, true)
    logins = await makeLogins(database.sql, database.url)
    for (const group of groups) clients[group] = postgres(logins.urls[group], { max: 1, onnotice: () => {} })
  })
  after(async () => {
    await Promise.all(Object.values(clients).map((client) => client.end()))
    await logins.drop()
    await database.close()
  })

  /** Tries it, and leaves nothing behind. @returns the state that Postgres refuses it with */
  const refusal = async (group: Group, statement: string): Promise<string | undefined> => {
    const client = clients[group]
    try {
      await client.unsafe('begin')
      await client.unsafe(statement)
      return undefined
    } catch (error) {
      return sqlState(error)
    } finally {
      await client.unsafe('rollback')
    }
  }

  for (const group of groups) {
    it(`${group}: may do what it needs, and nothing else`, async () => {
      for (const statement of never) assert.equal(await refusal(group, statement), '42501', statement)
      for (const [statement, who] of some)
        assert.equal(await refusal(group, statement), who.includes(group) ? undefined : '42501', statement)
    })
  }

  it('find the schema in order without being allowed to change it, or say that it is behind', async () => {
    assert.deepEqual(await prepareDatabase(logins.urls.ingress, 4), [])
    const newer = [{ name: '9999-more.sql', text: 'create table more (id int)' }]
    await assert.rejects(migrate(clients.worker as never, newer), (error) => hasCode(error, 'schema-behind'))
  })

  it('keep their rights at a read model that was rebuilt by an operator, who has none at it afterwards', async () => {
    const rebuild = openRebuild({ url: logins.urls.operator, applicationName: 'test', deadlineMs: 5_000 })
    await rebuild.begin('tickets')
    const row = { partition: 0, kind: 'ticket', id: '00000000-0000-4000-8000-000000000001', fields: {} }
    assert.equal(await rebuild.write([{ name: 'tickets_rebuild', moves: [], put: [row], gone: [] }]), true)
    assert.equal(await rebuild.swap('tickets'), true)
    await rebuild.close()
    assert.equal((await clients.ingress`select from tickets`).length, 1)
    assert.equal(await refusal('projector', 'delete from tickets'), undefined)
    assert.equal(await refusal('operator', 'delete from tickets'), '42501')
    assert.equal(await refusal('operator', "select begin_rebuild('turn')"), 'P0001')
    assert.equal(await refusal('operator', "select swap_rebuilt('turn')"), 'P0001')
  })
})

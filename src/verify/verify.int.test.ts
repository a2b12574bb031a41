import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { actors } from '../../actors/index.ts'
import { readJournal, recordedJournals } from '../../ops/record-journal/file.ts'
import { type CliResult, runCli } from '../../test/support/cli.ts'
import { openArchive } from '../archive/read.ts'
import { projections } from '../projections/index.ts'
import { type OpenDatabase, openDatabase } from '../store/database.fixtures.ts'
import { loadRecord } from '../store/inspection.fixtures.ts'
import { openInspection } from '../store/postgres-inspection.ts'
import { auditOf } from './audit.fixtures.ts'
import { type CheckName, checkNames } from './checks.ts'
import { readModelsOf } from './read-models.fixtures.ts'
import { verify } from './verify.ts'

/** One row broken by SQL each time, and the check that must find it. Others may find more in it. */
const breakages: [check: CheckName, what: string, sql: string][] = [
  ['partitions', 'more is published than decided', 'update partition set published = head + 1 where id = 3'],
  ['partitions', 'a cursor without a stream', "update partition set stream = '' where id = 3"],
  [
    'archive',
    'a file is not there',
    `insert into archive_file values (3, 'x.jsonl.gz', '/nowhere', 1, gen_random_uuid(), gen_random_uuid(), 1, '', '[]', now(), true)`,
  ],
  ['positions', 'a turn is gone', 'delete from turn where partition = 3 and position = 5'],
  ['positions', 'the last turn is gone', 'update partition set head = head + 1 where id = 3'],
  [
    'homes',
    'an actor in another partition',
    'update turn set partition = 4, position = 1000 where partition = 3 and position = 5',
  ],
  ['versions', 'a version is left out', `update turn set version = version + 1 where ${lastOf('ticket')}`],
  [
    'messages',
    'a message was taken twice',
    `alter table turn drop constraint turn_message; create index turn_message on turn (partition, actor_id, kind, message_id);
     update turn set message_id = (select message_id from turn as other where other.actor_id = turn.actor_id and version = 1)
     where ${lastOf('booking')}`,
  ],
  [
    'events',
    'an event lacks a field',
    edit('accepted', "- 'events'", `'{"events": [{"type": "ShowCreated_v1"}]}'`, 'show'),
  ],
  ['events', 'an event of no name', edit('accepted', "- 'events'", `'{"events": [{"type": "Sung_v1"}]}'`, 'show')],
  [
    'states',
    'a state is another',
    `update actor set state = jsonb_set(state::jsonb, '{reserved}', '1') ${anyOf('show')}`,
  ],
  ['states', 'a version is another', `update actor set version = version + 1 ${anyOf('ticket')}`],
  ['states', 'a state is gone', `delete from actor ${anyOf('booking')}`],
  [
    'states',
    'a state of nobody',
    `insert into actor values (3, 'show', gen_random_uuid(), 1, '{"status": "unknown"}')`,
  ],
  ['schemas', 'a state has a field too many', `update actor set state = state::jsonb || '{"x": 1}' ${anyOf('ticket')}`],
  [
    'alarms',
    'an alarm that nobody asked for',
    `update actor set wake_at = now(), wake_meta = '{}' ${anyOf('booking')}`,
  ],
  ['armed', 'alarms are counted wrongly', 'update partition set armed = armed + 1 where id = 3'],
  [
    'overdue',
    'an alarm that never went off',
    `update actor set wake_at = '2020-01-01', wake_meta = '{}' ${anyOf('ticket')}`,
  ],
  ['sends', 'a message that joined was never taken', renamed("turn.message ->> 'type' = 'ReserveSeats'")],
  ['sends', 'a message through the broker was never taken', renamed("turn.message ->> 'type' = 'TicketConfirmed'")],
  ['calls', 'an outcome never came', renamed("turn.message ->> 'type' = 'FileStored'")],
  [
    'projections',
    'a row is another',
    `update shows set fields = jsonb_set(fields::jsonb, '{seats_left}', '1000')::json
      where ctid = (select ctid from shows limit 1)`,
  ],
  ['projections', 'a row is missing', 'delete from tickets where ctid = (select ctid from tickets limit 1)'],
  [
    'projections',
    'a row of nobody',
    `insert into tickets (partition, kind, id, fields) values (3, 'ticket', gen_random_uuid(), '{}')`,
  ],
  [
    'projections',
    'a position past the head',
    "update projection set position = position + 1 where name = 'bookings' and partition = 3",
  ],
  [
    'seats',
    'a show has sold a seat to nobody',
    edit(
      'accepted',
      '',
      `'{"events": [{"type": "SeatsReserved_v1", "booking_id": "${crypto.randomUUID()}", "number_of_tickets": 9}]}'`,
      'show',
      2,
    ),
  ],
  ['audit', 'a row is changed', "update audit set who = 'nobody' where seq = 2"],
  [
    'audit',
    'a row is changed, and its hash with it',
    `update audit set who = 'nobody', hash = encode(sha256(convert_to(json_build_array(previous, seq,
      to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'nobody', act, subject, reason, details::text)::text,
      'UTF8')), 'hex') where seq = 2`,
  ],
  ['audit', 'a row is gone', 'delete from audit where seq = 2'],
  [
    'audit',
    'two rows are swapped',
    `update audit set seq = -seq where seq in (2, 3); update audit set seq = 5 + seq where seq < 0`,
  ],
  ['audit', 'the end is cut off', 'delete from audit where seq > 2'],
  [
    'audit',
    'a row was put behind its end',
    'alter table audit disable trigger chain_audit; insert into audit select 5, at, who, act, subject, reason, details, hash, hash from audit where seq = 4; alter table audit enable trigger chain_audit',
  ],
  [
    'refunds',
    'a ticket is paid back twice',
    edit(
      'ignored',
      '',
      `'{"calls": [{"messageId": "${crypto.randomUUID()}", "call": "payments", "request": {"type": "RefundPayment"}},
      {"messageId": "${crypto.randomUUID()}", "call": "payments", "request": {"type": "RefundPayment"}}]}'`,
      'ticket',
    ),
  ],
]

function anyOf(kind: string): string {
  return `where ctid = (select ctid from actor where kind = '${kind}' and (kind <> 'show' or state ->> 'reserved' <> '1') limit 1)`
}

/** The last turn of an actor that has had several. */
function lastOf(kind: string): string {
  return `ctid = (select ctid from turn as last where kind = '${kind}' and version > 2 and not exists (
    select from turn as later where later.actor_id = last.actor_id and later.version > last.version) limit 1)`
}

/** Puts something else into a decision. */
function edit(outcome: string, without: string, more: string, kind: string, version = 0): string {
  return `update turn set decision = ((decision::jsonb ${without}) || ${more}::jsonb)::json
    where ctid = (select ctid from turn where kind = '${kind}' and decision ->> 'outcome' = '${outcome}'
      and (${version} = 0 or version = ${version}) limit 1)`
}

function renamed(where: string): string {
  return `update turn set message_id = gen_random_uuid() where ctid = (select ctid from turn where ${where} limit 1)`
}

describe('verify, on Postgres', () => {
  const record = readJournal(recordedJournals().at(-1) ?? '')
  // Long enough ago that nothing can be on its way any more.
  for (const turn of record.turns) turn.at = turn.at.replace(/^\d{4}/, '2020')
  record.readModels = readModelsOf(record)
  record.audit.rows = auditOf(['pause', 'resume', 'redrive', 'rebuild'])
  let database: OpenDatabase
  before(async () => {
    database = await openDatabase()
  })
  after(() => database.close())
  beforeEach(() => loadRecord(database.sql, record))

  const look = async () => {
    const inspection = openInspection({ url: database.url, applicationName: 'test', deadlineMs: 10_000 })
    try {
      return await verify(inspection, {
        actors,
        readModels: projections,
        archive: openArchive(),
        graceMs: 600_000,
        onProgress: () => {},
      })
    } finally {
      await inspection.close()
    }
  }

  test('a sound record is found sound', async () => {
    const { verdicts, isClean } = await look()
    assert.ok(isClean, JSON.stringify(verdicts))
    assert.equal(verdicts.positions.looked, record.turns.length)
  })

  for (const [check, what, text] of breakages) {
    test(`${check}: ${what}`, async () => {
      await database.sql.unsafe(text).simple()
      const { verdicts, isClean } = await look()
      assert.equal(isClean, false)
      const { first, looked } = verdicts[check]
      assert.ok(first, `${check} found nothing; others: ${JSON.stringify(verdicts)}`)
      assert.ok(looked > 0)
    })
  }

  test('every check has been broken', () => {
    assert.deepEqual(new Set(breakages.map(([check]) => check)), new Set(checkNames))
  })

  const run = (...args: string[]): Promise<CliResult> => runCli({ POSTGRES_URL: database.url }, args)

  test('an audit log that was cut off together with its head is found out by a head that was noted elsewhere', async () => {
    const { out } = await run('audit', 'head')
    const noted = out.trim()
    assert.match(noted, /^4:[0-9a-f]{64}$/)
    assert.equal((await run('verify', '--audit-head', noted)).code, 0)
    await database.sql`delete from audit where seq > 2`
    await database.sql`update audit_head set (seq, hash) = (select seq, hash from audit where seq = 2)`
    const cut = await run('verify', '--audit-head', noted)
    assert.equal(cut.code, 1)
    assert.match(cut.out, /audit row 4\n.*the head that was given says\n.*the log ends with row 2/)
  })

  test('the command ends with 0, and has a line for each check', async () => {
    const { code, out, err } = await run('verify')
    assert.deepEqual([code, err], [0, ''])
    for (const name of checkNames) assert.match(out, new RegExp(`^  ok     ${name} `, 'm'))
    assert.match(out, /All of it holds\.\n$/)
    assert.match(
      (await run('verify', '--partition', '3')).out,
      /^ {2}- +seats +not looked at.*\n {2}ok.*\n {2}- +audit +not/m,
    )
  })

  test('it ends with 1, and the command that it names shows what is wrong', async () => {
    await database.sql.unsafe(`update turn set version = version + 1 where ${lastOf('ticket')}`)
    const { code, out } = await run('verify')
    assert.equal(code, 1)
    assert.match(out, /^ {2}BROKEN versions .*, 1 wrong\. An actor's turns have the versions/m)
    assert.match(out, /^Broken: versions, states\.$/m)
    const [, command = ''] = /look +turnstile (journal show .*)/.exec(out) ?? []
    const shown = await run(...command.split(' '))
    assert.equal(shown.code, 0)
    const [, version = ''] = /--at (\d+)/.exec(command) ?? []
    assert.match(shown.out, new RegExp(`^${version} +\\d{4}-`, 'm'))
    const { code: jsonCode, out: json } = await run('verify', '--json')
    assert.deepEqual([jsonCode, JSON.parse(json).checks.versions.differences], [1, 1])
  })

  test('it ends with 2 when it is called wrongly, with 3 when the database does not answer', async () => {
    const nowhere = runCli({ POSTGRES_URL: 'postgres://localhost:1/none' }, ['verify'])
    const wrong = [['--partition', '99'], ['--grace', 'soon'], ['--audit-head', '4'], ['--all']].map((args) =>
      run('verify', ...args),
    )
    for (const { code, out } of await Promise.all(wrong)) assert.deepEqual([code, out], [2, ''])
    const { code, err } = await nowhere
    assert.equal(code, 3)
    assert.match(err, /does not answer/)
  })

  test('it explains itself', async () => {
    const [verify, journal, show] = await Promise.all(
      [['verify'], ['journal'], ['journal', 'show']].map((words) => run(...words, '--help')),
    )
    assert.match(verify?.out ?? '', /^turnstile verify .*\n[\s\S]* seats +What a show has reserved/)
    assert.match(journal?.out ?? '', /^ {2}show +one actor's life/m)
    assert.match(show?.out ?? '', /^turnstile journal show KIND ID .*\n/)
  })
})

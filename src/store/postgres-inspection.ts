import type { ArchiveMark } from '../engine/archive-ports.ts'
import type { Address, PartitionRow, StoredActor, TurnRecord } from '../engine/ports.ts'
import { filesOf, toFile } from './archive.ts'
import { auditAfter, auditHead } from './audit.ts'
import type { AuditHead } from './audit-chain.ts'
import { Connection, type ConnectionOptions, type Query, type Sql } from './connection.ts'
import { lines } from './encode.ts'
import type { FoundLetter, FoundTurn, Inspection, MessageKey, PartitionView, StandingPause } from './inspection.ts'
import { askedFor } from './journal.ts'
import { rowsAt } from './projections.ts'
import { actorsAt, foundAmong, withWake } from './reads.ts'

const pageTurns = 1_000

/**
 * On one connection with one life: were it replaced in between, a view would go on in another moment. A view is a
 * transaction that reads, so a standby will do.
 */
export function openInspection(options: ConnectionOptions): Inspection {
  const connection = new Connection(options)
  const run = <Row extends object>(query: Query<Row>): Promise<Row[]> => connection.run(query)
  return {
    heads: () => run((sql) => sql<{ id: number; head: number }[]>`select id, head from partition order by id`),
    pauses: () => run((sql) => standingPauses(sql)),
    auditAfter: (seq, limit) => run((sql) => auditAfter(sql, seq, limit)),
    async auditHead() {
      const [head] = (await run(auditHead)) as [AuditHead]
      return head
    },
    async view(partition, look, readModels = []) {
      await run((sql) => sql.unsafe('begin isolation level repeatable read read only'))
      try {
        // Before the first look, which fixes the moment: of a table that comes later the rows would be missing.
        if (readModels.length > 0) await run((sql) => sql`lock table ${sql(readModels)} in access share mode`)
        return await look(await viewOf(run, partition))
      } finally {
        await run((sql) => sql.unsafe('rollback'))
      }
    },
    close: () => connection.close(),
  }
}

type Run = <Row extends object>(query: Query<Row>) => Promise<Row[]>

async function viewOf(run: Run, partition: number): Promise<PartitionView> {
  const [found] = await run((sql) => rowOf(sql, partition))
  if (!found) throw new RangeError(`there is no partition ${partition}`)
  const { now, ...row } = found
  const first = async <Row extends object>(query: Query<Row>): Promise<Row | undefined> => (await run(query))[0]
  return {
    row,
    nowMs: now.getTime(),
    turns: (of) => pages(run, partition, of),
    findTurns: (keys) => run((sql) => turnsAt(sql, keys)),
    async turn(partition, position) {
      const row = await first((sql) => turnAt(sql, partition, position))
      return row && withText(row)
    },
    load: async (addresses): Promise<StoredActor[]> => (await run((sql) => actorsAt(sql, addresses))).map(withWake),
    letters: async (ids) => (await run((sql) => lettersOf(sql, ids))).map(toLetter),
    repeated: () => first((sql) => repeatedMessage(sql, partition)),
    stray: () => first((sql) => strayActor(sql, partition)),
    async alarms() {
      const counted = await first((sql) => alarmCount(sql, partition))
      const next = await first((sql) => firstAlarm(sql, partition))
      return { armed: counted?.armed ?? 0, ...(next && { first: { ...next, at: next.at.toISOString() } }) }
    },
    archiveFiles: async () => (await run((sql) => filesOf(sql, partition))).map(toFile),
    archiveMarks: async (addresses) =>
      (await run((sql) => marksOf(sql, addresses))).map((row) => ({ ...row, before: row.before.toISOString() })),
    readModels: () => run((sql) => positionsIn(sql, partition)),
    rows: (name, keys) => run((sql) => rowsAt(sql, name, keys)),
    countRows: async (name) => (await first((sql) => rowCount(sql, name, partition)))?.rows ?? 0,
  }
}

const rowOf = (sql: Sql, partition: number) => sql<(PartitionRow & { now: Date })[]>`
  select id, epoch, owner, cursor, stream, head, published, armed, now() as now from partition where id = ${partition}::int`

type TurnRow = Omit<TurnRecord, 'at'> & { at: Date }

const withText = (row: TurnRow): TurnRecord => ({ ...row, at: row.at.toISOString() })

const columns = (sql: Sql) => sql`
  partition, position, kind, actor_id as "actorId", version, message_id as "messageId", at, message, meta, decision`

const turnAt = (sql: Sql, partition: number, position: number) => sql<TurnRow[]>`
  select ${columns(sql)} from turn where partition = ${partition}::int and position = ${position}::bigint`

/** The next page is on its way while the one before is looked at. */
async function* pages(run: Run, partition: number, of: Address | undefined): AsyncGenerator<TurnRecord[]> {
  await run((sql) => (of ? openActor(sql, partition, of) : openPartition(sql, partition)))
  const fetch = () => {
    const page = run((sql) => sql.unsafe<TurnRow[]>(`fetch ${pageTurns} from turns`))
    // When nobody comes to take it, nobody misses it.
    page.catch(() => undefined)
    return page
  }
  for (let next = fetch(); ; ) {
    const page = await next
    if (page.length === 0) break
    next = fetch()
    yield page.map(withText)
  }
  await run((sql) => sql.unsafe('close turns'))
}

/** Actor by actor as the index of messages has them, so that only the turns of one actor have to be sorted. */
const openPartition = (sql: Sql, partition: number) => sql`
  declare turns no scroll cursor for
  select ${columns(sql)} from turn
  where partition = ${partition}::int
  order by actor_id, kind, version, position`

const openActor = (sql: Sql, partition: number, { kind, id }: Address) => sql`
  declare turns no scroll cursor for
  select ${columns(sql)} from turn
  where partition = ${partition}::int and actor_id = ${id}::uuid and kind = ${kind}
  order by version, position`

const turnsAt = (sql: Sql, keys: MessageKey[]) => sql<FoundTurn[]>`
  select asked.partition, asked.kind, asked.id, asked.message_id as "messageId", turn.position
  from ${askedFor(sql, keys)}
  cross join lateral (
    select position from turn
    where turn.partition = asked.partition and turn.actor_id = asked.id and turn.kind = asked.kind
      and turn.message_id = asked.message_id
    limit 1
  ) as turn`

const marksOf = (sql: Sql, addresses: (Address & { partition: number })[]) => sql<
  (Omit<ArchiveMark, 'before'> & { before: Date })[]
>`
  select actor.partition, actor.kind, actor.id, actor.archived_version as version, actor.archived_before as before
  from ${foundAmong(sql, addresses)}
  where actor.archived_version is not null`

type LetterRow = Omit<FoundLetter, 'requeuedAt'> & { requeuedAt: Date | null }

const toLetter = ({ requeuedAt, ...letter }: LetterRow): FoundLetter => {
  return { ...letter, ...(requeuedAt && { requeuedAt: requeuedAt.toISOString() }) }
}

const lettersOf = (sql: Sql, ids: string[]) => sql<LetterRow[]>`
  select letter.message_id as "messageId", kind, actor_id as "actorId", type, status, payload, act.at as "requeuedAt"
  from unnest(string_to_array(${lines(ids, (id) => id)}, chr(10))::uuid[]) as wanted(id)
  join dead_letter as letter on letter.message_id = wanted.id
  left join lateral (
    select max(at) as at from audit
    where subject = 'dead letter ' || letter.message_id and act = 'requeue'
  ) as act on true`

const repeatedMessage = (sql: Sql, partition: number) => sql<MessageKey[]>`
  select partition, kind, actor_id as id, message_id as "messageId"
  from turn
  where partition = ${partition}::int
  group by partition, actor_id, kind, message_id
  having count(*) > 1
  limit 1`

const strayActor = (sql: Sql, partition: number) => sql<Address[]>`
  select kind, id from actor
  where partition = ${partition}::int and archived_version is null and not exists (
    select from turn
    where turn.partition = actor.partition and turn.actor_id = actor.id and turn.kind = actor.kind
  )
  limit 1`

const alarmCount = (sql: Sql, partition: number) => sql<{ armed: number }[]>`
  select count(*) as armed from actor where partition = ${partition}::int and wake_at is not null`

const firstAlarm = (sql: Sql, partition: number) => sql<(Address & { at: Date })[]>`
  select kind, id, wake_at as at from actor
  where partition = ${partition}::int and wake_at is not null
  order by wake_at
  limit 1`

const standingPauses = (sql: Sql) => sql<StandingPause[]>`
  select target, name, who, reason, (extract(epoch from now() - since) * 1000)::bigint as ms
  from pause
  order by since, target, name`

const positionsIn = (sql: Sql, partition: number) => sql<{ name: string; position: number }[]>`
  select name, position from projection where partition = ${partition}::int order by name`

const rowCount = (sql: Sql, name: string, partition: number) => sql<{ rows: number }[]>`
  select count(*) as rows from ${sql(name)} where partition = ${partition}::int`

import { erasedEmail } from '../actor/erasure.ts'
import { Connection, type ConnectionOptions, type Query, type Sql } from './connection.ts'
import { json } from './encode.ts'
import { tryRebuildLock } from './projections.ts'

/** A table, as far as it may hold what a customer has said. Names are quoted as SQL wants them. */
export type ErasableTable = { name: string; columns: ErasableColumn[]; blocks: number }
export type ErasableColumn = { name: string; type: 'text' | 'json' | 'jsonb' | 'bytea' }

/** A row that may name the customer: where it lies, which version of it that is, and its columns, bytes in hexadecimal. */
export type FoundRow = { place: string; version: string; values: (string | null)[] }

export type ErasureStore = ReturnType<typeof openErasure>

/**
 * What an erasure reads and writes. Rows are written over where they lie, and only if nobody has touched them since they were
 * read; whoever was faster is found at the next look. It takes the rights of the role `turnstile_eraser`.
 */
export function openErasure(options: ConnectionOptions) {
  const connection = new Connection(options)
  const run = <Row extends object>(query: Query<Row>): Promise<Row[]> => connection.run(query)
  return {
    /** Keeps rebuilds away for as long as this is open. @returns false when one is under way */
    async keepRebuildsAway(readModels: string[]): Promise<boolean> {
      for (const name of readModels) if (!(await tryRebuildLock(run, name))) return false
      return true
    },
    /** All of them, but for the audit log, which never holds anything of the kind. */
    tables: () => run((sql) => erasableTables(sql)),
    find: (table: ErasableTable, email: string, from: number, to: number) =>
      run((sql) => rowsWith(sql, table, email, from, to)),
    /** @returns how many were written over */
    async replace(table: ErasableTable, rows: FoundRow[]): Promise<number> {
      const [done] = (await run((sql) => writeOver(sql, table, rows))) as [Done]
      return done.rows
    },
    /** How far all partitions are: what they have decided, told, and brought into their read models. */
    standings: () => run((sql) => standings(sql)),
    /** Up to where the mailboxes have been read. */
    cursors: () =>
      run((sql) => sql<{ id: number; cursor: number; stream: string }[]>`select id, cursor, stream from partition`),
    /** Bookings and bundles of erased customers that still wait for something, and how long they may. */
    async open(): Promise<{ actors: number; until: string | null }> {
      const [row] = (await run((sql) => openActors(sql))) as [{ actors: number; until: Date | null }]
      return { actors: row.actors, until: row.until?.toISOString() ?? null }
    },
    close: () => connection.close(),
  }
}

type Done = { rows: number }

const erasableTables = (sql: Sql) => sql<ErasableTable[]>`
  select quote_ident(relname) as name, pg_relation_size(pg_class.oid) / current_setting('block_size')::int as blocks,
    json_agg(json_build_object('name', quote_ident(attname), 'type', format_type(atttypid, null)) order by attnum) as columns
  from pg_class join pg_attribute on attrelid = pg_class.oid
  where relnamespace = current_schema()::regnamespace and relkind = 'r'
    and relname not in ('audit', 'audit_head', 'migration')
    and attnum > 0 and not attisdropped and attgenerated = ''
    and atttypid in ('text'::regtype, 'json'::regtype, 'jsonb'::regtype, 'bytea'::regtype)
  group by pg_class.oid, relname
  order by relname = 'actor' desc, relname`

/**
 * What the rows of some blocks say, where the address may be in it. Bytes are looked at in any case, and so is JSON that bytes
 * have been written into: both may spell it otherwise.
 */
const rowsWith = (sql: Sql, { name, columns }: ErasableTable, email: string, from: number, to: number) => {
  const values = columns.map(({ name, type }) => (type === 'bytea' ? `encode(${name}, 'hex')` : `${name}::text`))
  const conditions = columns.map(({ name, type }) => {
    if (type === 'bytea') return 'true'
    const within = `position($1 in lower(${name}::text)) > 0`
    return type === 'text' ? within : `${within} or position('"\\\\x' in ${name}::text) > 0`
  })
  return sql.unsafe<FoundRow[]>(
    `select ctid::text as place, xmin::text as version, json_build_array(${values.join(', ')}) as values
     from ${name}
     where ctid >= $2::text::tid and ctid < $3::text::tid and (${conditions.join(' or ')})`,
    [email.toLowerCase(), `(${from},0)`, `(${to},0)`],
  )
}

/**
 * A state that is written over is another than the one that its worker has in memory: its partition is taken from the worker
 * by the same statement, as if it changed hands, so that no commit can rest on what was there. The partitions are locked
 * first, in their order, like in every commit.
 */
const writeOver = (sql: Sql, { name, columns }: ErasableTable, rows: FoundRow[]) => {
  const isActor = name === 'actor'
  const document = rows.map(({ place, version, values }) => ({
    place,
    version,
    ...Object.fromEntries(values.map((value, index) => [`c${index}`, value])),
  }))
  const changes = columns.map(({ name, type }, index) => {
    return `${name} = ${type === 'bytea' ? `decode(changed.c${index}, 'hex')` : `changed.c${index}::${type}`}`
  })
  const held = `, held as (
    select id from partition
    where id = any (array(select actor.partition from changed join actor on actor.ctid = changed.place::tid))
    order by id
    for update
  )`
  const freed = `, freed as (
    update partition set epoch = epoch + 1, owner = null where id in (select partition from replaced)
  )`
  return sql.unsafe<Done[]>(
    `with changed as (
      select * from json_to_recordset($1::text::json)
        as changed(place text, version text, ${columns.map((_, index) => `c${index} text`).join(', ')})
    )${isActor ? held : ''}, replaced as (
      update ${name} set ${changes.join(', ')} from changed
      where ${name}.ctid = changed.place::tid and ${name}.xmin::text = changed.version
        ${isActor ? 'and (select count(*) from held) > 0' : ''}
      returning ${isActor ? 'actor.partition' : '1'}
    )${isActor ? freed : ''}
    select count(*)::int as rows from replaced`,
    [json(document)],
  )
}

export type ErasureStanding = { partition: number; head: number; published: number; read: number; isOwned: boolean }

const standings = (sql: Sql) => sql<ErasureStanding[]>`
  select partition.id as partition, head, published, coalesce(min(projection.position), head) as read,
    exists (select from worker where worker.id = owner and lease_until >= clock_timestamp()) as "isOwned"
  from partition
  left join projection on projection.partition = partition.id and projection.name not like '%\\_rebuild'
  group by partition.id
  order by partition.id`

const openActors = (sql: Sql) => sql<{ actors: number; until: Date | null }[]>`
  select count(*)::int as actors, max(wake_at) as until from actor
  where wake_at is not null and state ->> 'customer_email' = ${erasedEmail}`

import type postgres from 'postgres'
import type { Sql } from './connection.ts'
import { json } from './encode.ts'
import type { WholeRecord } from './memory-inspection.ts'

/** Puts a whole record into a migrated database, in the place of what is there. */
export async function loadRecord(sql: postgres.Sql | Sql, record: WholeRecord): Promise<void> {
  await sql`
    truncate partition, worker, turn, actor, dead_letter, dead_letter_version, audit, pause, projection, archive_file`
  await sql`truncate tickets, ops_bookings, bookings, shows`
  await sql`update audit_head set seq = 0, hash = repeat('0', 64)`
  await sql`
    insert into partition (id, epoch, owner, cursor, stream, head, published, armed)
    select * from json_to_recordset(${json(record.partitions)}::text::json)
      as row(id int, epoch int, owner text, cursor bigint, stream text, head bigint, published bigint, armed bigint)`
  await sql`
    insert into turn (partition, position, kind, actor_id, version, message_id, at, message, meta, decision)
    select partition, position, kind, "actorId", version, "messageId", at, message, meta, decision
    from json_to_recordset(${json(record.turns)}::text::json) as row(partition int, position bigint, kind text,
      "actorId" uuid, version bigint, "messageId" uuid, at timestamptz, message json, meta json, decision json)`
  await sql`
    insert into actor (partition, kind, id, version, state, wake_at, wake_meta)
    select partition, kind, id, version, state, (wake ->> 'at')::timestamptz, wake
    from json_to_recordset(${json(record.actors)}::text::json)
      as row(partition int, kind text, id uuid, version bigint, state json, wake json)`
  for (const { partition, kind, id, version, before } of record.archive.marks)
    await sql`
      update actor set archived_version = ${version}, archived_before = ${before}
      where partition = ${partition} and kind = ${kind} and id = ${id}`
  for (const file of record.archive.files) {
    const { partition, name, folder, turns, firstActor, lastActor, lastPosition, sha256, blocks } = file
    await sql`
      insert into archive_file values (${partition}, ${name}, ${folder}, ${turns}, ${firstActor}, ${lastActor},
        ${lastPosition}, ${sha256}, ${json(blocks)}::text::json, ${file.settledBefore}, ${file.isDropped})`
  }
  // The chain is made by the database.
  await sql`
    insert into audit (at, who, act, subject, reason, details)
    select at, who, act, subject, reason, details::json from json_to_recordset(${json(record.audit.rows)}::text::json)
      as row(at timestamptz, who text, act text, subject text, reason text, details text)`
  const letters = record.letters.map(({ payload, ...letter }) => ({
    ...letter,
    payload: Buffer.from(payload).toString('hex'),
  }))
  await sql`
    insert into dead_letter (partition, message_id, kind, actor_id, type, code, cause, payload, headers, meta, at, attempts,
      first_at, last_at, status)
    select 0, "messageId", kind, "actorId", type, 'turn-threw', 'a test', decode(payload, 'hex'), '{}', '{}', now(), 1,
      now(), now(), status
    from json_to_recordset(${json(letters)}::text::json)
      as row("messageId" uuid, kind text, "actorId" text, type text, status text, payload text)`
  await sql`
    insert into audit (at, who, act, subject, details)
    select "requeuedAt", 'a test', 'requeue', 'dead letter ' || "messageId", '{}'
    from json_to_recordset(${json(letters)}::text::json) as row("messageId" uuid, "requeuedAt" timestamptz)
    where "requeuedAt" is not null`
  for (const { name, positions, rows } of record.readModels) {
    await sql`
      insert into projection (name, partition, position)
      select ${name}, partition, position from json_to_recordset(${json(positions)}::text::json) as row(partition int, position bigint)`
    await sql`
      insert into ${sql(name)} (partition, kind, id, fields)
      select * from json_to_recordset(${json(rows)}::text::json) as row(partition int, kind text, id uuid, fields json)`
  }
  await sql`
    insert into pause (target, name, since, who, reason)
    select target, name, now() - make_interval(secs => ms / 1000.0), who, reason
    from json_to_recordset(${json(record.pauses)}::text::json) as row(target text, name text, ms bigint, who text, reason text)`
}

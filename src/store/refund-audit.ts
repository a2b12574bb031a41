import { Connection, type ConnectionOptions, type Sql } from './connection.ts'

export type RefundAudit = ReturnType<typeof openRefundAudit>

type Step = { isMore: boolean }

/** How many turns of a partition one step looks at. */
const stepTurns = 5_000

/** Brings the refunds of the journal into the audit log, for whoever keeps at it. */
export function openRefundAudit(options: ConnectionOptions) {
  let connection = new Connection(options)
  return {
    /** @returns whether there is more than it has looked at */
    async step(): Promise<boolean> {
      if (connection.isBroken) connection = new Connection(options)
      const [step] = (await connection.run(appendRefunds)) as [Step]
      return step.isMore
    },
    /** Once, before the first step: the partitions are made after the tables. */
    async enroll(): Promise<void> {
      if (connection.isBroken) connection = new Connection(options)
      await connection.run(
        (sql) => sql`insert into audit_cursor (partition, position) select id, 0 from partition on conflict do nothing`,
      )
    },
    close: () => connection.close(),
  }
}

/**
 * One statement: refunds and cursors move together, so each refund is in the log once. Whoever holds a cursor is let go
 * first. What the daemon asks for itself has a cause in the journal; what came from outside has none, and bears the name of
 * the caller where callers have names. A name that is an address belongs to a customer, and is there as its digest.
 */
const appendRefunds = (sql: Sql) => sql<Step[]>`
  with stretch as (
    select audit_cursor.partition, position as after, head, least(head, position + ${stepTurns}::int) as up_to
    from audit_cursor
    join partition on partition.id = audit_cursor.partition
    where position < head
    order by audit_cursor.partition
    for update of audit_cursor skip locked
  ), refunds as (
    insert into audit (who, act, subject, details)
    select case
        when turn.meta ->> 'askedBy' like '%@%' then 'sha256:' || encode(sha256(convert_to(turn.meta ->> 'askedBy', 'UTF8')), 'hex')
        else coalesce(turn.meta ->> 'askedBy', case when turn.meta ->> 'causationId' is null then 'outside' else 'turnstile' end)
      end,
      'refund', 'ticket ' || turn.actor_id,
      json_build_object('partition', turn.partition, 'position', turn.position, 'message_id', turn.message_id, 'at', turn.at,
        'causation_id', turn.meta -> 'causationId')
    from stretch
    cross join lateral (
      select partition, position, actor_id, message_id, at, message, meta, decision from turn
      where turn.partition = stretch.partition and turn.position > stretch.after and turn.position <= stretch.up_to
        and turn.kind = 'ticket'
      order by position
      offset 0
    ) as turn
    where turn.message ->> 'type' = 'RefundTicket' and turn.decision ->> 'outcome' = 'accepted'
    order by turn.partition, turn.position
  ), moved as (
    update audit_cursor set position = stretch.up_to from stretch where audit_cursor.partition = stretch.partition
  )
  select coalesce(bool_or(up_to < head), false) as "isMore" from stretch`

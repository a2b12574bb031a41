import assert from 'node:assert/strict'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import type postgres from 'postgres'
import type { Report } from '../../ops/sandbox/gateway.ts'
import type { Service } from '../../schemas/index.ts'

/** What is still under way: effects without an outcome, turns that are not told, messages that nobody has decided. */
export async function underWay(sql: postgres.Sql, nats: NatsConnection): Promise<object | undefined> {
  const manager = await jetstreamManager(nats)
  const { state } = await manager.streams.info('turnstile-mailbox')
  const [row] = await sql<{ effects: number; untold: number; cursor: number }[]>`
    select max(cursor)::int as cursor, sum(head - published)::int as untold, (
      select count(*)::int from turn cross join lateral json_array_elements(decision->'calls') as call
      where not exists (select from turn as outcome where outcome.meta->>'causationId' = call->>'messageId')
    ) as effects from partition`
  const { effects = 0, untold = 0, cursor = 0 } = row ?? {}
  const undecided = state.last_seq - cursor
  return effects + untold + undecided === 0 ? undefined : { effects, untold, undecided }
}

/** The outcomes of calls that a service has finally refused: then it has done nothing. */
const refusals = ['DeadNationRefused', 'FlightRefused', 'TaxiRefused']

/**
 * Holds what the services have done against what the journal says was asked of them: each effect once, by its key, but
 * for those that were refused; nothing else; and no row twice in a sheet.
 *
 * @returns how many effects each service has carried out, and one line for everything that is wrong
 */
export async function judgeEffects(
  sql: postgres.Sql,
  report: Report,
): Promise<{ counts: Partial<Record<Service, number>>; wrong: string[] }> {
  const asked = await sql<{ service: Service; key: string; times: number }[]>`
    with refusal as (select meta->>'causationId' as key from turn where message->>'type' = any (${refusals}))
    select call->>'call' as service, call->>'messageId' as key,
      case when call->>'messageId' in (select key from refusal) then 0 else 1 end as times
    from turn cross join lateral json_array_elements(decision->'calls') as call`
  const expected: Partial<Record<Service, Record<string, number>>> = {}
  for (const { service, key, times } of asked) {
    expected[service] ??= {}
    expected[service][key] = times
  }
  const wrong = Object.entries(report.effects_by_key).flatMap(([service, effects]) => {
    const due = expected[service as Service] ?? {}
    const keys = new Set([...Object.keys(effects), ...Object.keys(due)])
    return [...keys].flatMap((key) => {
      const [done, asked] = [effects[key] ?? 'never', due[key] ?? 'never']
      return done === asked
        ? []
        : `${service} was asked for ${key}, as often as the journal says: ${asked}; it did it: ${done}`
    })
  })
  const { sheets } = report as Report & { sheets: Record<string, string[][]> }
  for (const [sheet, rows] of Object.entries(sheets)) {
    const known = new Set<string>()
    for (const row of rows.map((row) => JSON.stringify(row))) {
      if (known.has(row)) wrong.push(`a row is in ${sheet} twice: ${row}`)
      known.add(row)
    }
  }
  const sizes = Object.entries(expected).map(([service, keys]) => [service, Object.keys(keys).length])
  return { counts: Object.fromEntries(sizes), wrong }
}

/** As `judgeEffects`, where nothing may be wrong. */
export async function checkEffects(sql: postgres.Sql, report: Report): Promise<Partial<Record<Service, number>>> {
  const { counts, wrong } = await judgeEffects(sql, report)
  assert.deepEqual(wrong, [])
  return counts
}

export type PublicEvent = { actor: string; name: string; id: string; body: Record<string, unknown> }

/** Every public event, as a subscriber reads them from their stream. */
export async function readEvents(nats: NatsConnection): Promise<PublicEvent[]> {
  const consumer = await jetstream(nats).consumers.get('turnstile-events')
  const { num_pending: count } = await consumer.info()
  const events: PublicEvent[] = []
  if (count === 0) return events
  for await (const message of await consumer.fetch({ max_messages: count })) {
    const [, , kind, actor = '', name = ''] = message.subject.split('.')
    const id = message.headers?.get('Nats-Msg-Id') ?? ''
    events.push({ actor: `${kind}.${actor}`, name, id, body: message.json() })
  }
  return events
}

/** The ids of all that turns have published. */
export async function publishedIds(sql: postgres.Sql): Promise<string[]> {
  const published = await sql<{ id: string }[]>`
    select publish->>'messageId' as id
    from turn cross join lateral json_array_elements(decision->'publishes') as publish`
  return published.map(({ id }) => id).sort()
}

/** Each public event of the journal is in the stream, once. */
export async function checkEvents(sql: postgres.Sql, events: PublicEvent[]): Promise<void> {
  assert.deepEqual(events.map(({ id }) => id).sort(), await publishedIds(sql))
}

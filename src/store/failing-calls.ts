import { services } from '../../schemas/index.ts'
import type { Tagged } from '../actor/actor.ts'
import type { Address, EffectFailure, FailingCall } from '../engine/ports.ts'
import type { Sql } from './connection.ts'
import type { Database } from './database.ts'
import { json, lines } from './encode.ts'

type Located = Address & { partition: number }

export async function noteFailure(database: Database, failure: EffectFailure): Promise<void> {
  await database.run('notes', (sql) => upsert(sql, failure))
}

export async function forgetFailure(database: Database, failure: Located & { effectId: string }): Promise<void> {
  const { partition, id, effectId } = failure
  await database.run(
    'notes',
    (sql) => sql`
      delete from failing_call
      where partition = ${partition} and actor_id = ${id}::uuid and effect_id = ${effectId}::uuid`,
  )
}

const upsert = (sql: Sql, { partition, kind, id, effectId, service, request, attempts, cause }: EffectFailure) => sql`
  insert into failing_call (partition, kind, actor_id, effect_id, service, request, attempts, cause, at)
  values (${partition}, ${kind}, ${id}::uuid, ${effectId}::uuid, ${service}, ${json(request)}::text::json, ${attempts},
    ${cause}, now())
  on conflict (partition, actor_id, effect_id) do update
  set attempts = excluded.attempts, cause = excluded.cause, at = excluded.at`

/** Those that are tried again, and those that are open dead letters, oldest first. */
export async function failingCalls(database: Database, { partition, kind, id }: Located): Promise<FailingCall[]> {
  const rows = await database.run('read', (sql) => callsOf(sql, { partition, kind, id }))
  return rows.map(({ type, payload, request, ...call }) => ({
    ...call,
    request: request ?? requestOf(type, payload),
    at: call.at.toISOString(),
  }))
}

type Row = Omit<FailingCall, 'at' | 'request'> & { at: Date } & (
    | { request: Tagged; type: null; payload: null }
    | { request: null; type: string; payload: Uint8Array }
  )

const callsOf = (sql: Sql, { partition, kind, id }: Located) => sql<Row[]>`
  select service, request, null as type, null as payload, attempts, cause, at, false as "isDeadLetter"
  from failing_call
  where partition = ${partition} and actor_id = ${id}::uuid and kind = ${kind}
  union all
  select kind, null, type, payload, attempts, cause, last_at, true
  from dead_letter
  where partition = ${partition}
    and recipient = any (array(
      select md5(service || ' ' || ${id}) from unnest(string_to_array(${lines(services, String)}, chr(10))) as service
    ))
    and headers ->> 'Actor-Kind' = ${kind} and status = 'open'
  order by at`

/** A dead letter may hold anything. */
export function requestOf(type: string, payload: Uint8Array): Tagged {
  try {
    return { ...JSON.parse(Buffer.from(payload).toString()), type }
  } catch {
    return { type }
  }
}

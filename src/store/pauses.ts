import type { Pause } from '../engine/ports.ts'
import type { Sql } from './connection.ts'
import type { Database } from './database.ts'
import { lines } from './encode.ts'

/** What is paused, for those who carry out effects. */
export const readPauses = (database: Database): Promise<Pause[]> =>
  database.run('lease', (sql) => sql<Pause[]>`select target, name from pause order by target, name`)

/** All of it as one JSON array, for the heartbeat. */
export const pausesAsJson = (sql: Sql) =>
  sql`(select coalesce(json_agg(json_build_object('target', target, 'name', name) order by target, name), '[]') from pause)`

/** The condition that some pause holds back the messages to the actor of a row called `letter`. */
export const isHeld = (sql: Sql) => sql`
  (exists (select from pause where target = 'kind' and name = letter.kind)
    or exists (select from pause where target = 'actor' and name = letter.kind || '.' || letter.actor_id))`

/**
 * Two parts of the commit statement, for a batch that sets messages aside. `standing` are those of its pauses that have not
 * ended; they cannot end before the commit has, because a resume must delete the row that is locked here.
 */
export const holdPauses = (sql: Sql, pauses: Pause[]) => sql`
  relied_on as (
    select * from unnest(
      string_to_array(${lines(pauses, (pause) => pause.target)}, chr(10)),
      string_to_array(${lines(pauses, (pause) => pause.name)}, chr(10))
    ) as relied_on(target, name)
  ), standing as (
    select relied_on.*
    from relied_on
    join pause on pause.target = relied_on.target and pause.name = relied_on.name
    order by relied_on.target, relied_on.name
    for key share of pause
  ), `

/** The end of that statement: the pauses that have ended, beside the partitions that are lost. */
export const endedPauses = (sql: Sql) => sql`
  union all
  select null, json_build_object('target', target, 'name', name)
  from relied_on where (target, name) not in (select target, name from standing)`

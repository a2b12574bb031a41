import type { Pause } from '../engine/ports.ts'
import type { Author } from './audit.ts'
import type { ConnectionOptions, Sql } from './connection.ts'
import { Database } from './database.ts'
import { isHeld } from './pauses.ts'

export type PauseStore = ReturnType<typeof openPauses>

/** A pause as lists have it. */
export type PauseRecord = Pause & {
  /** RFC 3339 in UTC. */
  since: string
  who: string
  reason: string
  /** How many messages it holds back; of a service nothing is known here, for its effects wait in their queue. */
  waiting: number | null
}

/** Messages that no pause holds back any more, and that have not gone back yet: a resume ended half-way. */
export type Leftover = { kind: string; waiting: number }

/**
 * The pauses, for the people who make and end them. Connects when it is first asked something; what is asked fails with
 * `database-unavailable` when that does not work. Each act is one statement, with its row in `audit`.
 */
export function openPauses(options: ConnectionOptions) {
  const database = new Database(options)
  return {
    /** @returns false when it is paused already: then nothing is written */
    pause: async (pause: Pause, by: Author & { reason: string }): Promise<boolean> =>
      (await database.run('commit', (sql) => begin(sql, pause, by))).length > 0,
    /**
     * Once this resolves, no message is set aside by that pause any more.
     *
     * @returns false when it was not paused: then nothing is written
     */
    resume: async (pause: Pause, by: Author): Promise<boolean> =>
      (await database.run('commit', (sql) => end(sql, pause, by))).length > 0,
    list: async (): Promise<PauseRecord[]> => {
      const rows = await database.run('read', (sql) => standing(sql))
      return rows.map((row) => ({ ...row, since: row.since.toISOString() }))
    },
    leftovers: (): Promise<Leftover[]> => database.run('read', (sql) => unheld(sql)),
    close: () => database.close(),
  }
}

const begin = (sql: Sql, { target, name }: Pause, { who, reason }: Author & { reason: string }) => sql`
  with begun as (
    insert into pause (target, name, since, who, reason) values (${target}, ${name}, now(), ${who}, ${reason})
    on conflict do nothing
    returning *
  )
  insert into audit (who, act, subject, reason, details)
  select who, 'pause', target || ' ' || name, reason, '{}' from begun
  returning seq`

const end = (sql: Sql, { target, name }: Pause, { who, reason }: Author) => sql`
  with ended as (
    delete from pause where target = ${target} and name = ${name}
    returning *
  )
  insert into audit (who, act, subject, reason, details)
  select ${who}, 'resume', target || ' ' || name, ${reason ?? null}::text, '{}' from ended
  returning seq`

const standing = (sql: Sql) => sql<(Omit<PauseRecord, 'since'> & { since: Date })[]>`
  select target, name, since, who, reason, case target
    when 'kind' then (
      select count(*) from dead_letter where code = 'actor-paused' and status = 'open' and kind = pause.name
    )
    when 'actor' then (
      select count(*) from dead_letter
      where code = 'actor-paused' and status = 'open' and kind = split_part(pause.name, '.', 1)
        and recipient = md5(replace(pause.name, '.', ' '))
    )
  end as waiting
  from pause
  order by since, target, name`

const unheld = (sql: Sql) => sql<Leftover[]>`
  select letter.kind, count(*) as waiting
  from dead_letter as letter
  where letter.code = 'actor-paused' and letter.status = 'open' and not ${isHeld(sql)}
  group by letter.kind
  order by letter.kind`

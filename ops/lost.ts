import type postgres from 'postgres'

/** The bookings of these that are not there as made: acknowledged and lost. */
export async function findLost(sql: postgres.Sql, bookings: string[]): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from unnest(${bookings}::text[]) as wanted(id)
    where not exists (select from actor where kind = 'booking' and actor.id = wanted.id::uuid and state->>'status' = 'made')`
  return rows.map(({ id }) => id)
}

import type postgres from 'postgres'

/** What something takes, in bytes. */
export type Sizes = Record<string, number>

const rooms: Record<string, string> = {
  turn: 'journal',
  actor: 'states of actors',
  request_key: 'request keys',
  tickets: 'read model tickets',
  ops_bookings: 'read model ops_bookings',
  bookings: 'read model bookings',
  shows: 'read model shows',
}

/** The tables that grow with bookings, each beside its indexes. */
export async function tableSizes(sql: postgres.Sql): Promise<Sizes> {
  const rows = await sql<{ name: string; rows: string; indexes: string }[]>`
    select relname as name, pg_table_size(oid) as rows, pg_indexes_size(oid) as indexes
    from pg_class where relname = any (${Object.keys(rooms)}) and relkind = 'r'`
  return Object.fromEntries(
    rows.flatMap(({ name, rows, indexes }) => [
      [`${rooms[name]}`, Number(rows)],
      [`${rooms[name]}: indexes`, Number(indexes)],
    ]),
  )
}

export const differenceOf = (after: Sizes, before: Sizes): Sizes =>
  Object.fromEntries(Object.entries(after).map(([name, bytes]) => [name, bytes - (before[name] ?? 0)]))

/** How many of the updates since the statistics began touched no index, by table. */
export async function hotShares(sql: postgres.Sql): Promise<Record<string, { updates: number; hot: number }>> {
  const rows = await sql<{ name: string; updates: number; hot: number }[]>`
    select relname as name, n_tup_upd::int as updates, n_tup_hot_upd::int as hot
    from pg_stat_user_tables where n_tup_upd > 100 order by n_tup_upd desc`
  return Object.fromEntries(rows.map(({ name, updates, hot }) => [name, { updates, hot }]))
}

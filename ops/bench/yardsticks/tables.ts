import type postgres from 'postgres'

/**
 * What a ticket shop written by hand needs: shows, bookings, and an outbox that a relay would read. In their favour there are
 * no foreign keys and no second index, ids come in order of time, and rows of shows have room to be updated on their page.
 */
export async function createTables(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`
    create table if not exists show (
      id             uuid primary key default uuidv7(),
      dead_nation_id uuid not null,
      title          text not null,
      venue          text not null,
      start_time     timestamptz not null,
      capacity       integer not null,
      reserved       integer not null default 0,
      check (reserved between 0 and capacity)
    ) with (fillfactor = 50);

    create table if not exists booking (
      id                uuid primary key default uuidv7(),
      show_id           uuid not null,
      number_of_tickets integer not null,
      customer_email    text not null,
      created_at        timestamptz not null default now()
    );

    create table if not exists outbox (
      id         bigint generated always as identity primary key,
      topic      text not null,
      payload    json not null,
      created_at timestamptz not null default now()
    )`)
}

import type postgres from 'postgres'

export type Order = { show_id: string; number_of_tickets: number; customer_email: string }

/** Books, or says that too few seats are left or that there is no such show, by returning nothing. */
export type Book = (sql: postgres.Sql, order: Order) => Promise<string | undefined>

/** One transaction of several statements. The two inserts do not wait for each other. */
export const bookInTransaction: Book = (sql, { show_id, number_of_tickets, customer_email }) =>
  sql.begin(async (sql) => {
    const taken = await sql`
      update show set reserved = reserved + ${number_of_tickets}
      where id = ${show_id} and reserved + ${number_of_tickets} <= capacity`
    if (taken.count === 0) return undefined
    const id = crypto.randomUUID()
    const event = { booking_id: id, number_of_tickets, customer_email, show_id }
    await Promise.all([
      sql`
        insert into booking (id, show_id, number_of_tickets, customer_email)
        values (${id}, ${show_id}, ${number_of_tickets}, ${customer_email})`,
      sql`insert into outbox (topic, payload) values ('BookingMade_v1', ${sql.json(event)})`,
    ])
    return id
  })

/** The same as one statement, and so one way to the server and back. */
export const bookInOneStatement: Book = async (sql, { show_id, number_of_tickets, customer_email }) => {
  const [booked] = await sql<{ id: string }[]>`
    with taken as (
      update show set reserved = reserved + ${number_of_tickets}
      where id = ${show_id} and reserved + ${number_of_tickets} <= capacity
      returning id
    ), booked as (
      insert into booking (show_id, number_of_tickets, customer_email)
      select id, ${number_of_tickets}, ${customer_email} from taken
      returning id, show_id, number_of_tickets, customer_email
    ), told as (
      insert into outbox (topic, payload)
      select 'BookingMade_v1', json_build_object('booking_id', id, 'number_of_tickets', number_of_tickets,
        'customer_email', customer_email, 'show_id', show_id)
      from booked
    )
    select id from booked`
  return booked?.id
}

import Fastify, { type FastifyInstance } from 'fastify'
import type postgres from 'postgres'
import type { Book, Order } from './booking.ts'

/** Requests and answers are those of the daemon, as JSON schemas: Fastify compiles validation and answers from them. */
const uuid = { type: 'string', format: 'uuid' }
const email = { type: 'string', format: 'email', maxLength: 320 }
const text = { type: 'string', minLength: 1, maxLength: 1_000 }

const order = {
  type: 'object',
  required: ['show_id', 'number_of_tickets', 'customer_email'],
  properties: {
    show_id: uuid,
    number_of_tickets: { type: 'integer', minimum: 1, maximum: 1_000 },
    customer_email: email,
  },
}
const problem = { type: 'object', properties: { type: text, title: text, status: { type: 'integer' }, error: text } }
const bookTickets = {
  body: order,
  response: { 201: { type: 'object', properties: { booking_id: uuid } }, 400: problem, 404: problem },
}

type Show = { dead_nation_id: string; number_of_tickets: number; start_time: string; title: string; venue: string }

const show = {
  type: 'object',
  required: ['dead_nation_id', 'number_of_tickets', 'start_time', 'title', 'venue'],
  properties: {
    dead_nation_id: uuid,
    number_of_tickets: { type: 'integer', minimum: 1, maximum: 10_000_000 },
    start_time: { type: 'string', format: 'date-time' },
    title: text,
    venue: text,
  },
}
const createShow = { body: show, response: { 201: { type: 'object', properties: { show_id: uuid } } } }

/** The ticket shop that one could write in an afternoon. */
export function createApp(sql: postgres.Sql, book: Book): FastifyInstance {
  const app = Fastify({ logger: false })

  app.post<{ Body: Show }>('/shows', { schema: createShow }, async ({ body }, reply) => {
    const { dead_nation_id, title, venue, start_time, number_of_tickets } = body
    const [show] = await sql<{ id: string }[]>`
      insert into show (dead_nation_id, title, venue, start_time, capacity)
      values (${dead_nation_id}, ${title}, ${venue}, ${start_time}, ${number_of_tickets})
      returning id`
    reply.code(201)
    return { show_id: show?.id }
  })

  app.post<{ Body: Order }>('/book-tickets', { schema: bookTickets }, async ({ body }, reply) => {
    const booking_id = await book(sql, body)
    if (booking_id === undefined) {
      const refusal = await refusalOf(sql, body)
      return reply.code(refusal.status).type('application/problem+json').send(refusal)
    }
    reply.code(201)
    return { booking_id }
  })

  app.get('/health/ready', async () => {
    await sql`select`
    return 'ok'
  })
  return app
}

async function refusalOf(sql: postgres.Sql, { show_id, number_of_tickets }: Order) {
  const [show] = await sql<{ left: number }[]>`select capacity - reserved as left from show where id = ${show_id}`
  if (show === undefined) {
    return {
      type: '/problems/unknown-show',
      title: 'There is no such show',
      status: 404,
      error: `there is no show ${show_id}`,
    }
  }
  const error = `${number_of_tickets} seats asked for, ${show.left} left`
  return { type: '/problems/sold-out', title: 'Too few seats are left', status: 400, error }
}

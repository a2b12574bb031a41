import { z } from 'zod'
import { email, id, text, ticketsOfBooking, ticketsOfShow, timestamp } from './values.ts'

/**
 * What HTTP requests and answers are made of. The routes parse by these schemas, and the OpenAPI document is made from
 * them, with their descriptions and examples.
 */

const showId = id.meta({ description: 'The show', examples: ['019389c2-4c00-7d2e-9a51-6f1b0c7a8e44'] })
const bookingId = id.meta({ description: 'The booking', examples: ['019389c7-1f3a-7b08-8c66-2d94e5b1a703'] })

const show = {
  dead_nation_id: id.meta({
    description: 'The same show at Dead Nation, which issues the tickets',
    examples: ['3f8a9c54-90a4-4e0d-8a3f-5a7f6b1c2d3e'],
  }),
  number_of_tickets: ticketsOfShow.meta({ description: 'How many seats the show has', examples: [500] }),
  start_time: timestamp.meta({ description: 'RFC 3339; kept in UTC', examples: ['2027-06-01T20:00:00.000Z'] }),
  title: text().meta({ examples: ['The Cranes'] }),
  venue: text().meta({ examples: ['Old Mill, Ghent'] }),
}

const order = {
  show_id: showId,
  number_of_tickets: ticketsOfBooking.meta({ description: 'How many seats, all or none', examples: [2] }),
  customer_email: email.meta({ description: 'Where the tickets go', examples: ['ada@example.org'] }),
}

export const createShowBody = z.object(show)
export const showCreated = z.object({ show_id: showId })

export const bookTicketsBody = z.object(order)
export const bookingMade = z.object({ booking_id: bookingId })

export const showParams = z.object({ show_id: showId })
export const showView = z.object({
  show_id: showId,
  ...show,
  seats_reserved: z
    .int()
    .min(0)
    .meta({ description: 'Seats that bookings hold', examples: [120] }),
  seats_left: z
    .int()
    .min(0)
    .meta({ description: 'Seats that can be booked', examples: [380] }),
})
export type ShowView = z.infer<typeof showView>

export const bookingParams = z.object({ booking_id: bookingId })
export const bookingView = z.object({
  booking_id: bookingId,
  status: z.enum(['reserving', 'made', 'failed']).meta({
    description: '`reserving` waits for the show, `made` holds its seats, `failed` is final and holds none',
    examples: ['made'],
  }),
  ...order,
  requested_at: timestamp.meta({ examples: ['2026-12-01T09:30:00.000Z'] }),
  tickets_ordered: z.boolean().meta({ description: 'Whether Dead Nation has accepted the order', examples: [true] }),
  failure_reason: z.string().optional().meta({ description: 'Of a `failed` booking', examples: [] }),
})
export type BookingView = z.infer<typeof bookingView>

/** RFC 9457. */
export const problemDocument = z.object({
  type: z
    .string()
    .meta({ description: 'What kind of problem; the server explains it there', examples: ['/problems/sold-out'] }),
  title: z.string().meta({ examples: ['Too few seats are left'] }),
  status: z.int().meta({ examples: [400] }),
  detail: z.string().meta({ description: 'What went wrong this time', examples: ['3 seats asked for, 1 left'] }),
  error: z
    .string()
    .meta({ description: 'The same as `detail`, for older clients', examples: ['3 seats asked for, 1 left'] }),
  errors: z
    .array(z.object({ field: z.string(), message: z.string() }))
    .optional()
    .meta({ description: 'The fields at fault', examples: [] }),
})
export type ProblemDocument = z.infer<typeof problemDocument>

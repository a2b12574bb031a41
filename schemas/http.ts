import { z } from 'zod'
import { part, stepNames } from './bundle.ts'
import { amount, email, id, text, ticketsOfBooking, ticketsOfShow, timestamp } from './values.ts'

/**
 * What HTTP requests and answers are made of. The routes parse by these schemas, and the OpenAPI document is made from
 * them, with their descriptions and examples.
 */

const showId = id.meta({ description: 'The show', examples: ['019389c2-4c00-7d2e-9a51-6f1b0c7a8e44'] })
const bookingId = id.meta({ description: 'The booking', examples: ['019389c7-1f3a-7b08-8c66-2d94e5b1a703'] })

export const ticketId = id.meta({ description: 'The ticket', examples: ['5c0f1d9e-6f0b-4a57-9a0e-3f1f0a3b7c21'] })
export const customerEmail = email.meta({ description: 'Where the tickets go', examples: ['ada@example.org'] })

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
  customer_email: customerEmail,
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
  status: z.enum(['reserving', 'made', 'failed', 'canceled']).meta({
    description:
      '`reserving` waits for the show, `made` holds its seats; `failed` and `canceled` are final, and hold those of ' +
      'tickets that are still to be refunded',
    examples: ['made'],
  }),
  ...order,
  requested_at: timestamp.meta({ examples: ['2026-12-01T09:30:00.000Z'] }),
  tickets_ordered: z.boolean().meta({ description: 'Whether Dead Nation has accepted the order', examples: [true] }),
  deadline_at: timestamp.meta({
    description: 'Until then all tickets must be confirmed',
    examples: ['2026-12-01T09:45:00.000Z'],
  }),
  tickets: z.record(id, z.enum(['confirmed', 'late', 'gone'])).meta({
    description:
      'The tickets that it knows by their ids; what came `late` is to be refunded, what is `gone` was canceled or refunded',
    examples: [{ '5c0f1d9e-6f0b-4a57-9a0e-3f1f0a3b7c21': 'confirmed' }],
  }),
  failure_reason: z.string().optional().meta({ description: 'Of a `failed` booking', examples: [] }),
  awaits_tickets: z.boolean().optional().meta({
    description: 'Of a `canceled` booking: whether tickets may still be confirmed, to be refunded',
    examples: [],
  }),
  bundle_id: id.optional().meta({ description: 'The VIP bundle that it belongs to', examples: [] }),
})
export type BookingView = z.infer<typeof bookingView>
export const bookingAccepted = z.object({ booking_id: bookingId })

const amountText = amount.meta({ description: 'A decimal, never a float', examples: ['50.30'] })

/** Old tickets and old senders leave things out, or empty. */
const bookingOfTicket = z.union([id, z.literal('')], 'must be a UUID, or empty').meta({
  description: 'Its booking; missing or empty for a ticket sold before there were any',
  examples: ['019389c7-1f3a-7b08-8c66-2d94e5b1a703'],
})
const currencyOrNone = z
  .string()
  .regex(/^([A-Z]{3})?$/, 'must be a currency of three capital letters, such as "EUR"')
  .overwrite((given) => given || 'USD')
  .meta({ description: 'Missing or empty means `USD`', examples: ['EUR'] })

const ticketStatus = z.object({
  ticket_id: ticketId,
  status: z.enum(['confirmed', 'canceled']).meta({ description: 'What became of it', examples: ['confirmed'] }),
  price: z.object({ amount: amountText, currency: currencyOrNone.default('USD') }),
  customer_email: customerEmail,
  booking_id: bookingOfTicket.default(''),
})

export const ticketsStatusBody = z.object({
  tickets: z
    .array(ticketStatus)
    .min(1)
    .max(1_000)
    .meta({
      description: 'All of them are taken, or none',
      examples: [
        [
          {
            ticket_id: '5c0f1d9e-6f0b-4a57-9a0e-3f1f0a3b7c21',
            status: 'confirmed',
            price: { amount: '50.30', currency: 'EUR' },
            customer_email: 'ada@example.org',
            booking_id: '019389c7-1f3a-7b08-8c66-2d94e5b1a703',
          },
        ],
      ],
    }),
})

export const ticketParams = z.object({ ticket_id: ticketId })
export const refundAccepted = z.object({ ticket_id: ticketId })

export const ticketView = z.object({
  ticket_id: ticketId,
  booking_id: bookingOfTicket,
  customer_email: customerEmail,
  price: z
    .object({ amount: amountText, currency: z.string() })
    .meta({ description: 'What was paid', examples: [{ amount: '50.30', currency: 'EUR' }] }),
  status: z.enum(['confirmed', 'canceled', 'refunding', 'refunded']).meta({
    description: '`refunding` until its receipt is voided and its payment refunded',
    examples: ['confirmed'],
  }),
  receipt: z
    .object({ number: z.string(), issued_at: timestamp })
    .nullable()
    .meta({
      description: '`null` until it is issued',
      examples: [{ number: 'R-1042', issued_at: '2026-12-01T09:31:00.000Z' }],
    }),
  is_receipt_voided: z.boolean().optional().meta({ description: 'Of a `refunding` ticket', examples: [] }),
  file_name: z
    .string()
    .nullable()
    .meta({
      description: 'The printed ticket; `null` until it is stored',
      examples: ['5c0f1d9e-6f0b-4a57-9a0e-3f1f0a3b7c21-ticket.html'],
    }),
  rows: z.array(z.enum(['tickets-to-print', 'tickets-to-refund'])).meta({
    description: 'The sheets that have its row',
    examples: [['tickets-to-print']],
  }),
})
export type TicketView = z.infer<typeof ticketView>

const bundleId = id.meta({ description: 'The VIP bundle', examples: ['019389c8-0a11-7c52-9d2e-7b6c5d4e3f21'] })
const flightId = (which: string) =>
  id.meta({ description: `The ${which} flight`, examples: ['8e2d5f10-4c1b-4f0e-9b7a-1d2c3b4a5f60'] })

const bundleOrder = {
  customer_email: customerEmail,
  inbound_flight_id: flightId('inbound'),
  return_flight_id: flightId('return'),
  number_of_tickets: ticketsOfBooking.meta({ description: 'How many seats of the show, all or none', examples: [2] }),
  passengers: z
    .array(text())
    .min(1)
    .max(1_000)
    .meta({ description: 'Their names, as many as tickets; the first takes the taxi', examples: [['Ada', 'Bert']] }),
  show_id: showId,
}

export const bookVipBundleBody = z
  .object(bundleOrder)
  .refine(({ number_of_tickets, passengers }) => passengers.length === number_of_tickets, {
    path: ['passengers'],
    message: 'must be as many as number_of_tickets',
    // Of a number that is wrong itself nothing more is said.
    when: ({ issues }) => issues.length === 0,
  })
export const vipBundleInitialized = z.object({ booking_id: bookingId, vip_bundle_id: bundleId })

export const vipBundleParams = z.object({ vip_bundle_id: bundleId })
export const vipBundleAccepted = z.object({ vip_bundle_id: bundleId })

const failingCall = z.object({
  request: z.string().meta({ description: 'What is asked of the service' }),
  attempts: z.int(),
  last_error: z.string(),
  last_failed_at: timestamp,
  is_dead_letter: z
    .boolean()
    .meta({ description: 'It is tried no more until it is requeued: see `turnstile dead-letters`' }),
})

export const vipBundleView = z.object({
  vip_bundle_id: bundleId,
  booking_id: bookingId,
  ...bundleOrder,
  status: z.enum([...stepNames.options, 'succeeded', 'failed']).meta({
    description: 'The step under way, or how it ended',
    examples: ['inbound-flight'],
  }),
  deadline_at: timestamp.optional().meta({ description: 'Of the step under way, if it has one', examples: [] }),
  rollback_reason: z
    .string()
    .nullable()
    .meta({ description: 'Why everything is undone, or was; else `null`', examples: [null] }),
  are_tickets_confirmed: z.boolean().meta({ examples: [false] }),
  parts: z
    .record(
      part,
      z.object({
        outcome: z.enum(['unknown', 'booked', 'refused']),
        ids: z.array(z.string()),
        undone_ids: z.array(z.string()),
      }),
    )
    .meta({
      description: 'What was booked of the journey, by the ids of the service, and what of it is undone',
      examples: [
        {
          'inbound-flight': { outcome: 'unknown', ids: [], undone_ids: [] },
          'return-flight': { outcome: 'unknown', ids: [], undone_ids: [] },
          taxi: { outcome: 'unknown', ids: [], undone_ids: [] },
        },
      ],
    }),
  steps: z
    .array(
      z.object({
        name: stepNames,
        began_at: timestamp,
        ended_at: timestamp.nullable(),
        failing_calls: z.array(failingCall),
      }),
    )
    .meta({
      description: 'In the order in which they began, each with its calls that fail',
      examples: [
        [
          {
            name: 'booking',
            began_at: '2026-12-01T09:30:00.000Z',
            ended_at: '2026-12-01T09:30:00.200Z',
            failing_calls: [],
          },
          {
            name: 'inbound-flight',
            began_at: '2026-12-01T09:30:00.200Z',
            ended_at: null,
            failing_calls: [
              {
                request: 'BookFlight',
                attempts: 3,
                last_error: '503: out of order',
                last_failed_at: '2026-12-01T09:30:02.000Z',
                is_dead_letter: false,
              },
            ],
          },
        ],
      ],
    }),
})
export type VipBundleView = z.infer<typeof vipBundleView>

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

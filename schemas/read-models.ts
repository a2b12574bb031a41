import { z } from 'zod'
import { bookingView, customerEmail, ticketId, ticketView } from './http.ts'
import { id, timestamp } from './values.ts'

/** What the lists are made of: the rows of the read models, and how they are asked for. */

const limit = z
  .string()
  .regex(/^[1-9]\d{0,3}$/, 'must be a number from 1 to 1000')
  .transform(Number)
  .refine((value) => value <= 1_000, 'must be a number from 1 to 1000')
  .meta({ description: 'How many at most, 1 to 1,000; 1,000 when there is a cursor alone', examples: ['100'] })

const cursor = z
  .string()
  .regex(/^\d{1,3}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'must come from the link to a next page')
  .transform((value) => {
    const [partition, id] = value.split('.') as [string, string]
    return { partition: Number(partition), id }
  })
  .meta({ description: 'Where to go on, from the `Link` of the page before' })

const page = { limit: limit.optional(), cursor: cursor.optional() }

export const listQuery = z.object(page)
export type ListQuery = z.infer<typeof listQuery>

export const bookingsQuery = z.object({ show_id: bookingView.shape.show_id, ...page })

export const listedTicket = z.object({
  ticket_id: ticketId,
  customer_email: customerEmail,
  price: ticketView.shape.price,
})
export type ListedTicket = z.infer<typeof listedTicket>

export const listedBooking = bookingView.omit({ tickets: true, tickets_ordered: true })
export type ListedBooking = z.infer<typeof listedBooking>

export const opsBookingsQuery = z.object({
  receipt_issue_date: z.iso
    .date()
    .optional()
    .meta({ description: 'Only bookings with a ticket whose receipt was issued on this day, in UTC' }),
})

const time = z.iso.datetime().meta({ description: '`0001-01-01T00:00:00Z` until it comes' })
const textOrNone = z.string().meta({ description: 'Empty until it comes' })

const opsTicket = z.object({
  price_amount: z.string(),
  price_currency: z.string(),
  customer_email: z.string(),
  confirmed_at: time,
  refunded_at: time,
  printed_at: time,
  printed_file_name: textOrNone,
  receipt_issued_at: time,
  receipt_number: textOrNone,
})
type OpsTicket = z.infer<typeof opsTicket>

export const opsBooking = z.object({
  booking_id: bookingView.shape.booking_id,
  booked_at: timestamp.meta({ description: 'When it was made', examples: ['2026-12-01T09:30:00.000Z'] }),
  tickets: z.record(id, opsTicket).meta({
    description: 'Every ticket that names it, by its id',
    examples: [
      {
        '5c0f1d9e-6f0b-4a57-9a0e-3f1f0a3b7c21': {
          price_amount: '50.30',
          price_currency: 'EUR',
          customer_email: 'ada@example.org',
          confirmed_at: '2026-12-01T09:31:00.000Z',
          refunded_at: '0001-01-01T00:00:00Z',
          printed_at: '2026-12-01T09:31:00.000Z',
          printed_file_name: '5c0f1d9e-6f0b-4a57-9a0e-3f1f0a3b7c21-ticket.html',
          receipt_issued_at: '0001-01-01T00:00:00Z',
          receipt_number: '',
        },
      },
    ],
  }),
  last_update: timestamp.meta({
    description: 'When it or one of its tickets last changed',
    examples: ['2026-12-01T09:31:00.000Z'],
  }),
})
export type OpsBooking = z.infer<typeof opsBooking>

/** The two kinds of rows that an ops booking is put together from. */
export type OpsBookingRow = Omit<OpsBooking, 'tickets'>
export type OpsTicketRow = OpsTicket & Pick<OpsBooking, 'booking_id' | 'last_update'>

import { z } from 'zod'
import { bookingParams } from '../../../schemas/http.ts'
import { opsBooking, opsBookingsQuery } from '../../../schemas/read-models.ts'
import { streamArray } from '../lists.ts'
import { opsBookingsOf } from '../ops-bookings.ts'
import { Problem } from '../problems.ts'
import { queryProblems, type Route } from '../route.ts'

/** A booking may have a thousand tickets, and more that name it. */
const streamedBookings = 100

export const listOpsBookings: Route<unknown, unknown, z.infer<typeof opsBookingsQuery>> = {
  method: 'GET',
  path: '/ops/bookings',
  group: 'Operation',
  roles: ['operator'],
  summary: 'List the bookings with all that became of their tickets',
  query: opsBookingsQuery,
  answer: {
    status: 200,
    description: 'The bookings, as they stood a moment ago',
    schema: z.array(opsBooking),
    isStream: true,
  },
  problems: queryProblems,
  handle({ query: { receipt_issue_date: receiptDay }, readModels }) {
    return streamArray(async (after: string | undefined) => {
      const rows = await readModels.opsBookings({ after, limit: streamedBookings, receiptDay })
      return { items: opsBookingsOf(rows), next: rows.at(-1)?.bookingId }
    })
  },
}

export const getOpsBooking: Route<z.infer<typeof bookingParams>> = {
  method: 'GET',
  path: '/ops/bookings/{booking_id}',
  group: 'Operation',
  roles: ['operator'],
  summary: 'See a booking with all that became of its tickets',
  params: bookingParams,
  answer: { status: 200, description: 'The booking, as it stood a moment ago', schema: opsBooking },
  problems: ['unknown-booking', ...queryProblems],
  async handle({ params: { booking_id }, readModels }) {
    const [booking] = opsBookingsOf(await readModels.opsBooking(booking_id))
    if (!booking) throw new Problem('unknown-booking', `no booking ${booking_id} was made`)
    return booking
  },
}

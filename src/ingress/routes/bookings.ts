import type { z } from 'zod'
import { bookingState } from '../../../schemas/booking.ts'
import {
  type BookingView,
  bookingAccepted,
  bookingMade,
  bookingParams,
  bookingView,
  bookTicketsBody,
} from '../../../schemas/http.ts'
import { Problem } from '../problems.ts'
import { commandProblems, queryProblems, type Route } from '../route.ts'

export const bookTickets: Route<unknown, z.infer<typeof bookTicketsBody>> = {
  method: 'POST',
  path: '/book-tickets',
  group: 'Bookings',
  summary: 'Book tickets of a show',
  description: 'Reserves the seats, all or none, and answers once they are durably reserved.',
  body: bookTicketsBody,
  answer: { status: 201, description: 'The seats are reserved', schema: bookingMade },
  problems: ['sold-out', 'unknown-show', 'booking-canceled', ...commandProblems],
  handle: ({ body, askNew }) => askNew('booking', { type: 'BookShowTickets', ...body }),
}

export const getBooking: Route<z.infer<typeof bookingParams>> = {
  method: 'GET',
  path: '/bookings/{booking_id}',
  group: 'Bookings',
  summary: 'See a booking',
  params: bookingParams,
  answer: { status: 200, description: 'The booking as it stands', schema: bookingView },
  problems: ['unknown-booking', ...queryProblems],
  async handle({ params: { booking_id }, findState }): Promise<BookingView> {
    const state = bookingState.parse((await findState('booking', booking_id)) ?? { status: 'unknown' })
    if (state.status === 'unknown' || state.status === 'withdrawn') {
      throw new Problem('unknown-booking', `there is no booking ${booking_id}`)
    }
    return { booking_id, tickets_ordered: false, tickets: {}, ...state }
  },
}

export const cancelBooking: Route<z.infer<typeof bookingParams>> = {
  method: 'POST',
  path: '/bookings/{booking_id}/cancel',
  group: 'Bookings',
  summary: 'Cancel a booking',
  description:
    'Its seats go back on sale and its tickets are refunded, also those that are confirmed only later. Of a booking ' +
    'that has ended already nothing more is done.',
  params: bookingParams,
  answer: { status: 202, description: 'It is canceled; refunds follow', schema: bookingAccepted },
  problems: ['unknown-booking', ...commandProblems],
  handle: ({ params: { booking_id }, ask }) => ask('booking', booking_id, { type: 'CancelBooking' }),
}

import { z } from 'zod'
import { bookingState } from '../../../schemas/booking.ts'
import {
  type BookingView,
  bookingAccepted,
  bookingMade,
  bookingParams,
  bookingView,
  bookTicketsBody,
} from '../../../schemas/http.ts'
import { bookingsQuery, listedBooking } from '../../../schemas/read-models.ts'
import { answerList } from '../lists.ts'
import { Problem } from '../problems.ts'
import { type Call, commandProblems, queryProblems, type Route } from '../route.ts'

export const bookTickets: Route<unknown, z.infer<typeof bookTicketsBody>> = {
  method: 'POST',
  path: '/book-tickets',
  group: 'Bookings',
  roles: ['customer', 'box-office'],
  summary: 'Book tickets of a show',
  description: 'Reserves the seats, all or none, and answers once they are durably reserved.',
  body: bookTicketsBody,
  answer: { status: 201, description: 'The seats are reserved', schema: bookingMade },
  problems: ['sold-out', 'unknown-show', 'booking-canceled', ...commandProblems],
  handle: ({ body, askNewNear }) => askNewNear(body.show_id, 'booking', { type: 'BookShowTickets', ...body }),
}

export const listBookings: Route<unknown, unknown, z.infer<typeof bookingsQuery>> = {
  method: 'GET',
  path: '/bookings',
  group: 'Bookings',
  roles: ['box-office', 'operator'],
  summary: 'List the bookings of a show',
  description: 'All of them; with `limit` or `cursor` a page, whose `Link` header leads to the next.',
  query: bookingsQuery,
  answer: {
    status: 200,
    description: 'The bookings, as they stood a moment ago',
    schema: z.array(listedBooking),
    isStream: true,
  },
  problems: queryProblems,
  handle(call) {
    const { show_id } = call.query
    return answerList(call, `/bookings?show_id=${show_id}`, (page) => call.readModels.bookingsOf(show_id, page))
  },
}

export const getBooking: Route<z.infer<typeof bookingParams>> = {
  method: 'GET',
  path: '/bookings/{booking_id}',
  group: 'Bookings',
  roles: ['customer', 'box-office', 'operator'],
  summary: 'See a booking',
  params: bookingParams,
  answer: { status: 200, description: 'The booking as it stands', schema: bookingView },
  problems: ['unknown-booking', ...queryProblems],
  async handle({ params: { booking_id }, findState }): Promise<BookingView> {
    const booking = await findBooking(booking_id, findState)
    return { booking_id, tickets_ordered: false, tickets: {}, ...booking }
  },
}

/** @throws `unknown-booking`, also for one of which there is no more than a name */
export async function findBooking(id: string, findState: Call<unknown, unknown, unknown>['findState']) {
  const state = bookingState.parse((await findState('booking', id)) ?? { status: 'unknown' })
  if (state.status === 'unknown' || state.status === 'withdrawn') {
    throw new Problem('unknown-booking', `there is no booking ${id}`)
  }
  return state
}

export const cancelBooking: Route<z.infer<typeof bookingParams>> = {
  method: 'POST',
  path: '/bookings/{booking_id}/cancel',
  group: 'Bookings',
  roles: ['customer', 'box-office', 'operator'],
  summary: 'Cancel a booking',
  description:
    'Its seats go back on sale and its tickets are refunded, also those that are confirmed only later. Of a booking ' +
    'that has ended already nothing more is done.',
  params: bookingParams,
  answer: { status: 202, description: 'It is canceled; refunds follow', schema: bookingAccepted },
  problems: ['unknown-booking', ...commandProblems],
  handle: ({ params: { booking_id }, ask }) => ask('booking', booking_id, { type: 'CancelBooking' }),
}

import type { z } from 'zod'
import { bookingParams } from '../../../schemas/http.ts'
import { eventStream, listenProblems, type Route } from '../route.ts'
import { findBooking } from './bookings.ts'

const stream = {
  status: 200,
  type: eventStream,
  isStream: true,
  headers: {
    'Cache-Control': 'no-store',
    // nginx would collect the events until they fill its buffer.
    'X-Accel-Buffering': 'no',
    // Whoever is hung up on connects anew, and so can find another process.
    Connection: 'close',
  },
} as const

const resumes = 'They come as Server-Sent Events; a client that connects again with `Last-Event-ID` misses none.'

export const eventsOfBooking: Route<z.infer<typeof bookingParams>> = {
  method: 'GET',
  path: '/bookings/{booking_id}/events',
  group: 'Bookings',
  roles: ['customer', 'box-office', 'operator'],
  summary: 'Listen to a booking',
  description: `Everything that happened to it, from the beginning, and then what happens. ${resumes}`,
  params: bookingParams,
  answer: { ...stream, description: 'Each `data` is JSON: the fields of the event, and when it `happened_at`' },
  problems: ['unknown-booking', ...listenProblems],
  async handle({ params: { booking_id }, findState, listen }) {
    await findBooking(booking_id, findState)
    return listen({ kind: 'booking', id: booking_id })
  },
}

export const events: Route = {
  method: 'GET',
  path: '/events',
  group: 'Events',
  roles: ['operator'],
  summary: 'Listen to everything',
  description:
    'The public events of all actors from now on: those of one actor in their order, those of several in none. ' +
    resumes,
  answer: { ...stream, description: 'Each `data` is JSON, the same as is published on NATS' },
  problems: listenProblems,
  handle: ({ listen }) => listen(),
}

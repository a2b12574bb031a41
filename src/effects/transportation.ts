import { z } from 'zod'
import { text } from '../../schemas/values.ts'
import type { ServiceAdapter } from './service.ts'

/** The ids are the service's own, whatever they look like. */
const flight = z.object({ ticket_ids: z.array(text()).min(1) })
const taxi = z.object({ booking_id: text() })

/** What is canceled and gone already is done too. */
const gone = [200, 204, 404]

/** Flights and taxis. Each leg, and each ticket that is canceled, is a call with a key of its own. */
export const transportation: ServiceAdapter<'transportation', 'bundle'> = {
  service: 'transportation',
  concurrency: 32,
  calls: {
    BookFlight: {
      toHttp: ({ customer_email, to_flight_id, passengers, reference_id }, idempotency_key) => ({
        method: 'PUT',
        path: '/transportation-api/flight-tickets',
        body: {
          customer_email,
          flight_id: to_flight_id,
          passenger_names: passengers,
          reference_id,
          idempotency_key,
        },
      }),
      done: [201],
      refused: [400, 409],
      onDone({ leg }, answer) {
        const { ticket_ids } = flight.parse(answer)
        return { type: 'FlightBooked', leg, flight_ticket_ids: [...new Set(ticket_ids)] }
      },
      onRefused: (reason, { leg }) => ({ type: 'FlightRefused', leg, reason }),
    },
    CancelFlightTickets: {
      toHttp: ({ flight_ticket_id: [id] }) => ({
        method: 'DELETE',
        path: `/transportation-api/flight-tickets/${encodeURIComponent(id)}`,
      }),
      done: gone,
      refused: [],
      onDone: ({ flight_ticket_id: [id] }) => ({ type: 'FlightTicketCanceled', flight_ticket_id: id }),
    },
    BookTaxi: {
      toHttp: ({ customer_email, customer_name, number_of_passengers, reference_id }, idempotency_key) => ({
        method: 'PUT',
        path: '/transportation-api/taxi-booking',
        body: {
          customer_email,
          number_of_passengers,
          passenger_name: customer_name,
          reference_id,
          idempotency_key,
        },
      }),
      done: [201],
      refused: [400, 409],
      onDone: (_, answer) => ({ type: 'TaxiBooked', taxi_booking_id: taxi.parse(answer).booking_id }),
      onRefused: (reason) => ({ type: 'TaxiRefused', reason }),
    },
    CancelTaxi: {
      toHttp: ({ taxi_booking_id }) => ({
        method: 'DELETE',
        path: `/transportation-api/taxi-booking/${encodeURIComponent(taxi_booking_id)}`,
      }),
      done: gone,
      refused: [],
      onDone: ({ taxi_booking_id }) => ({ type: 'TaxiCanceled', taxi_booking_id }),
    },
  },
}

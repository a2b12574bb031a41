import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { rememberAnswers } from './idempotency.ts'
import { type Answer, badRequest, noSuchCall, type Service } from './service.ts'

const flightRequest = z.object({
  customer_email: z.email(),
  flight_id: z.guid(),
  passenger_names: z.array(z.string().min(1)).min(1),
  reference_id: z.guid(),
  idempotency_key: z.string().min(1),
})
const taxiRequest = z.object({
  customer_email: z.email(),
  number_of_passengers: z.int().min(1),
  passenger_name: z.string().min(1),
  reference_id: z.guid(),
  idempotency_key: z.string().min(1),
})

/** Books flights, a ticket for each passenger, and taxis; once for every key. What is canceled is gone. */
export function transportation(): Service {
  const flightTickets = new Map<string, object>()
  const taxis = new Map<string, object>()
  const canceled: string[] = []
  const bookOnce = rememberAnswers()

  const bookFlight = (body: unknown): Answer => {
    const parsed = flightRequest.safeParse(body)
    if (!parsed.success) return badRequest(z.prettifyError(parsed.error))
    const { flight_id, passenger_names, reference_id, idempotency_key } = parsed.data
    return bookOnce(idempotency_key, parsed.data, () => {
      const ticket_ids = passenger_names.map((passenger_name) => {
        const ticket_id = randomUUID()
        flightTickets.set(ticket_id, { ticket_id, flight_id, passenger_name, reference_id })
        return ticket_id
      })
      return { status: 201, body: { ticket_ids } }
    })
  }

  const bookTaxi = (body: unknown): Answer => {
    const parsed = taxiRequest.safeParse(body)
    if (!parsed.success) return badRequest(z.prettifyError(parsed.error))
    const { idempotency_key, ...taxi } = parsed.data
    return bookOnce(idempotency_key, parsed.data, () => {
      const booking_id = randomUUID()
      taxis.set(booking_id, { booking_id, ...taxi })
      return { status: 201, body: { booking_id } }
    })
  }

  const cancel = (booked: Map<string, object>, id: string): Answer => {
    if (!booked.delete(id))
      return { status: 404, body: { error: `there is no ${id}` }, isRepeat: canceled.includes(id) }
    canceled.push(id)
    return { status: 204 }
  }

  return {
    name: 'transportation',
    state: () => ({
      flight_tickets: [...flightTickets.values()],
      taxi_bookings: [...taxis.values()],
      canceled_transportation: canceled,
    }),
    handle: ({ method, path, body }) => {
      const [, kind, id] = /^\/(flight-tickets|taxi-booking)(?:\/([\w-]+))?$/.exec(path) ?? []
      if (kind === undefined) return noSuchCall
      if (method === 'PUT' && id === undefined) return kind === 'taxi-booking' ? bookTaxi(body) : bookFlight(body)
      if (method === 'DELETE' && id !== undefined) return cancel(kind === 'taxi-booking' ? taxis : flightTickets, id)
      return noSuchCall
    },
  }
}

import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { badRequest, noSuchCall, type Service } from './service.ts'
import { createWebhook } from './webhook.ts'

/** What the real API takes, written down here once more on purpose: our own schemas are what it has to catch. */
const booking = z.object({
  booking_id: z.guid(),
  customer_address: z.email(),
  event_id: z.guid(),
  number_of_tickets: z.int().min(1),
})
type Booking = z.infer<typeof booking>

export type DeadNationOptions = {
  /** Where the daemon listens. */
  daemonUrl: string
  /** How long Dead Nation takes until it confirms a booking. */
  confirmAfterMs: number
  /** It tells of so many tickets in a call, and of more in several. */
  ticketsPerCall: number
  /** By which it signs its calls, if it does: `whsec_…`. */
  webhookSecret?: string | undefined
}

/** The seller of the tickets: takes a booking, and a little later confirms its tickets through our webhook. */
export function deadNation(options: DeadNationOptions): Service {
  const { daemonUrl, confirmAfterMs, ticketsPerCall, webhookSecret } = options
  const accepted = new Map<string, string>()
  const webhook = createWebhook(`${daemonUrl}/tickets-status`, confirmAfterMs, webhookSecret)
  return {
    name: 'dead-nation',
    state: () => ({ bookings: [...accepted.values()].map((payload) => JSON.parse(payload) as object) }),
    handle: ({ method, path, traceparent, body }) => {
      if (method !== 'POST' || path !== '/ticket/booking') return noSuchCall
      const parsed = booking.safeParse(body)
      if (!parsed.success) return badRequest(z.prettifyError(parsed.error))

      const { booking_id } = parsed.data
      const payload = JSON.stringify(parsed.data)
      const before = accepted.get(booking_id)
      if (before !== undefined && before !== payload) {
        return { status: 409, body: { error: `booking ${booking_id} was made before, and with other values` } }
      }
      if (before === undefined) {
        accepted.set(booking_id, payload)
        for (const [index, tickets] of chunks(ticketsOf(parsed.data), ticketsPerCall).entries()) {
          void webhook.deliver({ tickets }, `dead-nation-${booking_id}-${index + 1}`, traceparent)
        }
      }
      return { status: 200, body: { booking_id }, isRepeat: before !== undefined }
    },
    close: () => webhook.close(),
  }
}

function ticketsOf({ booking_id, customer_address, number_of_tickets }: Booking): object[] {
  const ticket = () => ({
    ticket_id: randomUUID(),
    status: 'confirmed',
    price: { amount: '50.30', currency: 'EUR' },
    customer_email: customer_address,
    booking_id,
  })
  return Array.from({ length: number_of_tickets }, ticket)
}

const chunks = <T>(items: T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size))

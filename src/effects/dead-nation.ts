import { z } from 'zod'
import type { ServiceAdapter } from './service.ts'

const accepted = z.object({ booking_id: z.string() })

/** Dead Nation issues the tickets: it accepts an order here, and tells of each ticket later, by its webhook. */
export const deadNation: ServiceAdapter<'dead-nation', 'booking'> = {
  service: 'dead-nation',
  concurrency: 32,
  calls: {
    BookTickets: {
      toHttp: ({ type: _, ...body }) => ({ method: 'POST', path: '/dead-nation-api/ticket/booking', body }),
      done: [200],
      refused: [400, 409],
      onDone(_, answer) {
        accepted.parse(answer)
        return { type: 'DeadNationAccepted' }
      },
      onRefused: (reason) => ({ type: 'DeadNationRefused', reason }),
    },
  },
}

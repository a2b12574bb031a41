import type { ListedTicket } from '../../schemas/read-models.ts'
import type { Projection } from './projection.ts'

/** The tickets that are confirmed and neither canceled nor refunded. */
export const tickets: Projection<{ ticket: ListedTicket }> = {
  name: 'tickets',
  folds: {
    ticket: {
      TicketBookingConfirmed_v1: (_, { ticket_id, customer_email, price }) => ({ ticket_id, customer_email, price }),
      TicketBookingCanceled_v1: () => undefined,
      TicketRefunded_v1: () => undefined,
    },
  },
}

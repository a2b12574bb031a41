import type { ListedBooking } from '../../schemas/read-models.ts'
import type { Projection } from './projection.ts'

/** The bookings of each show, and what became of them. */
export const bookings: Projection<{ booking: ListedBooking }> = {
  name: 'bookings',
  folds: {
    booking: {
      BookingRequested_v1: (_, { show_id, number_of_tickets, customer_email, requested_at }, { actorId }) => {
        return {
          booking_id: actorId,
          status: 'reserving',
          show_id,
          number_of_tickets,
          customer_email,
          requested_at,
        }
      },
      BookingMade_v1: (row) => row && { ...row, status: 'made' },
      BookingFailed_v1: (row, { failure_reason }) => row && { ...row, status: 'failed', failure_reason },
      BookingCanceled_v1: (row) => row && { ...row, status: 'canceled' },
    },
  },
}

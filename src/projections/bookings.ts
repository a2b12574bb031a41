import type { ListedBooking } from '../../schemas/read-models.ts'
import type { Projection } from './projection.ts'

/** The bookings of each show, and what became of them. */
export const bookings: Projection<{ booking: ListedBooking }> = {
  name: 'bookings',
  folds: {
    booking: {
      BookingRequested_v2: (_, { type, ...asked }, { actorId }) => {
        return { booking_id: actorId, status: 'reserving', ...asked }
      },
      BookingMade_v1: (row) => row && { ...row, status: 'made' },
      BookingFailed_v1: (row, { failure_reason }) => row && { ...row, status: 'failed', failure_reason },
      BookingCanceled_v1: (row) => row && { ...row, status: 'canceled' },
    },
  },
}

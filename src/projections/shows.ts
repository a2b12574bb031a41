import type { ShowView } from '../../schemas/http.ts'
import type { Projection } from './projection.ts'

/** The shows on sale, with their seats. */
export const shows: Projection<{ show: ShowView }> = {
  name: 'shows',
  folds: {
    show: {
      ShowCreated_v1: (_, { type, ...details }, { actorId }) => {
        return { show_id: actorId, ...details, seats_reserved: 0, seats_left: details.number_of_tickets }
      },
      SeatsReserved_v1: (row, { number_of_tickets }) => row && reserve(row, number_of_tickets),
      SeatsReleased_v1: (row, { number_of_tickets }) => row && reserve(row, -number_of_tickets),
    },
  },
}

function reserve(row: ShowView, seats: number): ShowView {
  return { ...row, seats_reserved: row.seats_reserved + seats, seats_left: row.seats_left - seats }
}

import type { BookingState } from '../schemas/booking.ts'

/** The seats of the show that a booking in this state holds. */
export function seatsHeld(state: BookingState): number {
  if (!('tickets' in state)) return 0
  const standings = Object.values(state.tickets)
  if (state.status === 'made')
    return state.number_of_tickets - standings.filter((standing) => standing === 'gone').length
  return standings.filter((standing) => standing === 'confirmed').length
}

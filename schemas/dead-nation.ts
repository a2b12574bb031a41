import { commands, type MessageOf } from './message.ts'
import { email, id, ticketsOfBooking } from './values.ts'

/** What is asked of Dead Nation, the seller whose tickets these are. Fields fixed by its API. */
export const deadNationRequests = commands({
  BookTickets: {
    booking_id: id,
    customer_address: email,
    event_id: id,
    number_of_tickets: ticketsOfBooking,
  },
})
export type DeadNationRequest = MessageOf<typeof deadNationRequests>

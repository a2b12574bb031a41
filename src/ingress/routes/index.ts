import type { Route } from '../route.ts'
import { bookTickets, cancelBooking, getBooking, listBookings } from './bookings.ts'
import { bookVipBundle, cancelVipBundle, getVipBundle } from './bundles.ts'
import { docs, openapi, problem } from './documents.ts'
import { events, eventsOfBooking } from './events.ts'
import { operationRoutes } from './operation.ts'
import { getOpsBooking, listOpsBookings } from './ops-bookings.ts'
import { createShow, getShow, listShows } from './shows.ts'
import { getTicket, listTickets, refundTicket, reportTickets } from './tickets.ts'

/** Every route there is, in the order in which the documents show them. */
export const routes: Route[] = [
  createShow,
  listShows,
  getShow,
  bookTickets,
  listBookings,
  getBooking,
  cancelBooking,
  eventsOfBooking,
  reportTickets,
  listTickets,
  getTicket,
  refundTicket,
  bookVipBundle,
  getVipBundle,
  cancelVipBundle,
  events,
  listOpsBookings,
  getOpsBooking,
  ...operationRoutes,
  openapi,
  docs,
  problem,
]

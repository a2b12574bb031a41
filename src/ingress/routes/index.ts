import type { Route } from '../route.ts'
import { bookTickets, cancelBooking, getBooking } from './bookings.ts'
import { bookVipBundle, cancelVipBundle, getVipBundle } from './bundles.ts'
import { docs, openapi, problem } from './documents.ts'
import { operationRoutes } from './operation.ts'
import { createShow, getShow } from './shows.ts'
import { getTicket, refundTicket, reportTickets } from './tickets.ts'

/** Every route there is, in the order in which the documents show them. */
export const routes: Route[] = [
  createShow,
  getShow,
  bookTickets,
  getBooking,
  cancelBooking,
  reportTickets,
  getTicket,
  refundTicket,
  bookVipBundle,
  getVipBundle,
  cancelVipBundle,
  ...operationRoutes,
  openapi,
  docs,
  problem,
]

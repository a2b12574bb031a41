import type { Route } from '../route.ts'
import { bookTickets, getBooking } from './bookings.ts'
import { docs, openapi, problem } from './documents.ts'
import { operationRoutes } from './operation.ts'
import { createShow, getShow } from './shows.ts'

/** Every route there is, in the order in which the documents show them. */
export const routes: Route[] = [
  createShow,
  getShow,
  bookTickets,
  getBooking,
  ...operationRoutes,
  openapi,
  docs,
  problem,
]

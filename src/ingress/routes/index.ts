import type { Route } from '../route.ts'
import { bookTickets, cancelBooking, getBooking, listBookings } from './bookings.ts'
import { bookVipBundle, cancelVipBundle, getVipBundle } from './bundles.ts'
import { docs, openapi, problem } from './documents.ts'
import { events, eventsOfBooking } from './events.ts'
import { health, metrics, openMetrics, ready } from './operation.ts'
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
  health,
  ready,
  metrics,
  openapi,
  docs,
  problem,
]

/**
 * What each port serves. Those that are for operators alone move to their port when there is one; of a process that takes no
 * requests nothing is served but what it tells of itself.
 *
 * @param isOpen whether it takes requests
 * @param isSplit whether operators have a port of their own
 */
export function portsOf(isOpen: boolean, isSplit: boolean): { main: Route[]; operator: Route[] } {
  if (!isOpen) {
    const own = [health, ready, openMetrics]
    return isSplit ? { main: [health, ready], operator: own } : { main: own, operator: [] }
  }
  if (!isSplit) return { main: routes, operator: [] }
  const operator = routes.filter((route) => route !== metrics && (isForOperators(route) || route.roles === 'anyone'))
  return { main: routes.filter((route) => !isForOperators(route)), operator: [...operator, openMetrics] }
}

const isForOperators = ({ roles }: Route): boolean => roles !== 'anyone' && roles.every((role) => role === 'operator')

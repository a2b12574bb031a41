import type { BookingView, VipBundleView } from '../../schemas/http.ts'

/** What the simulated services have, as far as it concerns bundles. */
export type Services = {
  flight_tickets: { ticket_id: string; flight_id: string; passenger_name: string; reference_id: string }[]
  taxi_bookings: { booking_id: string; reference_id: string }[]
  refunds: { payment_reference: string }[]
  sheets: Record<string, string[][]>
}

/** What the services have, found by whom it is for. */
export type Holdings = {
  flights: Map<string, Services['flight_tickets']>
  taxis: Map<string, Services['taxi_bookings']>
  /** How often the money of a ticket went back, by payment or by the sheet. */
  paidBack: Map<string, number>
}

export function holdingsOf({ flight_tickets, taxi_bookings, refunds, sheets }: Services): Holdings {
  const tickets = [
    ...refunds.map(({ payment_reference }) => payment_reference),
    ...(sheets['tickets-to-refund'] ?? []).map(([ticket = '']) => ticket),
  ]
  const paidBack = new Map<string, number>()
  for (const ticket of tickets) paidBack.set(ticket, (paidBack.get(ticket) ?? 0) + 1)
  return { flights: byReference(flight_tickets), taxis: byReference(taxi_bookings), paidBack }
}

/**
 * What is wrong with a bundle that has ended: it has succeeded exactly when two flights for everybody, a taxi and all of
 * its tickets are there, and failed exactly when nothing is, and each ticket's money has gone back once.
 *
 * @returns one line for each thing
 */
export function imbalanceOf(bundle: VipBundleView, booking: BookingView, holdings: Holdings): string[] {
  const { vip_bundle_id, status, passengers } = bundle
  const hasSucceeded = status === 'succeeded'
  const flights = holdings.flights.get(vip_bundle_id) ?? []
  const seats = [bundle.inbound_flight_id, bundle.return_flight_id].flatMap((flight) => {
    return passengers.map((passenger) => `${flight} ${passenger}`)
  })
  const tickets = Object.entries(booking.tickets)
  const paidBack = tickets.map(([ticket]) => holdings.paidBack.get(ticket) ?? 0)
  const places = flights.map(({ flight_id, passenger_name }) => `${flight_id} ${passenger_name}`)
  const checks: [what: string, found: unknown, expected: unknown][] = [
    ['the flight tickets', places.sort(), hasSucceeded ? seats.sort() : []],
    ['the taxis', holdings.taxis.get(vip_bundle_id)?.length ?? 0, hasSucceeded ? 1 : 0],
    [
      'how the tickets stand',
      tickets.map(([, standing]) => standing),
      same(tickets, hasSucceeded ? 'confirmed' : 'gone'),
    ],
    ['how often their money went back', paidBack, same(tickets, hasSucceeded ? 0 : 1)],
    ['whether the booking stands', booking.status === 'made', hasSucceeded],
    ['whether all tickets are there', tickets.length === bundle.number_of_tickets || !hasSucceeded, true],
    ['whether it has ended', hasSucceeded || status === 'failed', true],
    ['steps that have not ended', bundle.steps.filter(({ ended_at }) => ended_at === null).length, 0],
  ]
  return checks
    .map(([what, ...both]) => [what, ...both.map((value) => JSON.stringify(value))] as const)
    .filter(([, found, expected]) => found !== expected)
    .map(([what, found, expected]) => `bundle ${vip_bundle_id}, ${status}: ${what}: ${found} instead of ${expected}`)
}

const same = <T>(items: unknown[], value: T): T[] => items.map(() => value)

function byReference<T extends { reference_id: string }>(items: T[]): Map<string, T[]> {
  const found = new Map<string, T[]>()
  for (const item of items) {
    const own = found.get(item.reference_id)
    if (own) own.push(item)
    else found.set(item.reference_id, [item])
  }
  return found
}

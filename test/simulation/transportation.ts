import type { Faults } from './faults.ts'
import type { Handler } from './services.ts'

/** What was booked of a bundle's journey by one call, and which of it is still there. */
export type Booked = { what: 'flight' | 'taxi'; flightId: string; ids: string[]; live: Set<string> }

/** By bundle. */
export type Journeys = Map<string, Booked[]>

type Do = (action: string, subject: unknown, key: string) => void

/** Flights and taxis. What is canceled a second time is gone already. */
export function transportation(journeys: Journeys, faults: Faults, carryOut: Do): Handler[] {
  const book = (bundle: unknown, booked: Omit<Booked, 'live'>): void => {
    const before = journeys.get(String(bundle)) ?? []
    journeys.set(String(bundle), [...before, { ...booked, live: new Set(booked.ids) }])
  }
  const isSoldOut = (): boolean => {
    const isIt = faults.happens('journeyRefused')
    if (isIt) faults.see('services', 'flight or taxi sold out')
    return isIt
  }
  const cancel = (what: Booked['what'], path: string, key: string): { status: number } => {
    const id = decodeURIComponent(path.split('/')[3] ?? '')
    const all = [...journeys.values()].flat()
    const isThere = all.some(({ live }) => live.delete(id))
    if (isThere) carryOut(`${what} canceled`, id, key)
    return { status: isThere ? 204 : 404 }
  }
  return [
    {
      path: /^\/transportation-api\/flight-tickets$/,
      carryOut: ({ reference_id, flight_id, passenger_names }, key) => {
        if (isSoldOut()) return { status: 409, body: { error: 'the flight is sold out' } }
        const ids = (passenger_names as string[]).map((_, index) => `flight ${index} ${key}`)
        carryOut('flight booked', `${reference_id} ${flight_id}`, key)
        book(reference_id, { what: 'flight', flightId: String(flight_id), ids })
        return { status: 201, body: { ticket_ids: ids } }
      },
    },
    {
      path: /^\/transportation-api\/taxi-booking$/,
      carryOut: ({ reference_id }, key) => {
        if (isSoldOut()) return { status: 409, body: { error: 'no taxi is free' } }
        carryOut('taxi booked', reference_id, key)
        book(reference_id, { what: 'taxi', flightId: '', ids: [`taxi ${key}`] })
        return { status: 201, body: { booking_id: `taxi ${key}` } }
      },
    },
    {
      path: /^\/transportation-api\/flight-tickets\/[^/]+$/,
      carryOut: (_, key, path) => cancel('flight', path, key),
    },
    { path: /^\/transportation-api\/taxi-booking\/[^/]+$/, carryOut: (_, key, path) => cancel('taxi', path, key) },
  ]
}

import { randomUUID } from 'node:crypto'
import type { Fault, FaultSettings } from '../sandbox/gateway/faults.ts'

/** What comes in the way of a bundle, besides the faults that come in everybody's. */
export type Obstacle = 'inbound flight full' | 'return flight full' | 'no taxi' | 'Dead Nation refuses' | 'stopped'

export type Order = {
  show_id: string
  number_of_tickets: number
  customer_email: string
  inbound_flight_id: string
  return_flight_id: string
  passengers: string[]
}

const seats = 2
const fullFlight = '01900000-0000-7000-8000-0000000000f1'
const stranded = 'Nobody'
const unwelcome = 'unwelcome@example.com'

/** Of the bundles of a show one in twenty meets each. */
const obstacles: Obstacle[] = ['inbound flight full', 'return flight full', 'no taxi', 'Dead Nation refuses', 'stopped']
const everyBundles = 20

export const showCount = 5

/** How many seats the show of this number has: the last one too few for all who ask, the others enough. */
export function seatsOf(show: number, bundles: number): number {
  const asked = Math.ceil(bundles / showCount) * seats
  return show === showCount - 1 ? Math.ceil(asked / 2) : asked
}

export const isShort = (index: number): boolean => index % showCount === showCount - 1

export const obstacleOf = (index: number): Obstacle | undefined =>
  obstacles[Math.floor(index / showCount) % everyBundles]

export function orderOf(index: number, shows: string[]): Order {
  const obstacle = obstacleOf(index)
  return {
    show_id: shows[index % showCount] as string,
    number_of_tickets: seats,
    customer_email: obstacle === 'Dead Nation refuses' ? unwelcome : 'kate@example.com',
    inbound_flight_id: obstacle === 'inbound flight full' ? fullFlight : randomUUID(),
    return_flight_id: obstacle === 'return flight full' ? fullFlight : randomUUID(),
    passengers: [obstacle === 'no taxi' ? stranded : 'Kate', 'Del'],
  }
}

/**
 * Of the calls of every service this share goes wrong, each in one of four ways: refused for now, done and not answered,
 * done and answered with what nobody can read, or answered late.
 *
 * @param share 0 to 1
 */
export function faultsOf(share: number): FaultSettings {
  const kinds: Fault[] = [{ status: 503 }, { reset_after_success: true }, { garbage: true }, { delay_ms: 250 }]
  // Each is drawn when those before it have not struck.
  const probability = 1 - (1 - share) ** (1 / kinds.length)
  const mix = kinds.map((kind) => ({ ...kind, probability }))
  // What is refused is refused from the first call on: a service does not book and then refuse the same key.
  return {
    'dead-nation': [{ status: 409, about: `"customer_address":"${unwelcome}"` }, ...mix],
    receipts: mix,
    payments: mix,
    spreadsheets: mix,
    files: mix,
    transportation: [
      { sold_out: true, about: `"flight_id":"${fullFlight}"` },
      { sold_out: true, about: `"passenger_name":"${stranded}"` },
      ...mix,
    ],
  }
}

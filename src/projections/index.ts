import { bookings } from './bookings.ts'
import { opsBookings } from './ops-bookings.ts'
import type { AnyProjection } from './projection.ts'
import { shows } from './shows.ts'
import { tickets } from './tickets.ts'

/** Every read model there is. */
export const projections: AnyProjection[] = [tickets, opsBookings, bookings, shows]

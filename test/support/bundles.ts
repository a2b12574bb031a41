import { readFileSync } from 'node:fs'
import type { BundleCommand, BundleState } from '../../schemas/bundle.ts'
import { deriveId } from '../../src/actor/ids.ts'
import { anyContext } from './given.ts'

/** What a bundle of two tickets is made of, and is told. */

export const bundleId = anyContext.id
export const bookingId = deriveId(bundleId, 'booking')

export const bundleOrder = {
  show_id: '01900000-0000-7000-8000-000000000002',
  number_of_tickets: 2,
  customer_email: 'kate@example.com',
  inbound_flight_id: '01900000-0000-7000-8000-0000000000f1',
  return_flight_id: '01900000-0000-7000-8000-0000000000f2',
  passengers: ['Kate', 'Del'],
}

const booking_id = bookingId

/** Everything that a bundle can be told, by a name that tells one from the other. */
export const toldToBundle = {
  InitializeVipBundle: { type: 'InitializeVipBundle', ...bundleOrder },
  CancelVipBundle: { type: 'CancelVipBundle' },
  DeadlinePassed: { type: 'DeadlinePassed' },
  BookingMade: { type: 'BookingMade', booking_id },
  TicketsConfirmed: { type: 'TicketsConfirmed', booking_id },
  BookingBroken: { type: 'BookingBroken', booking_id, reason: 'sold out' },
  BookingSettled: { type: 'BookingSettled', booking_id },
  'FlightBooked inbound': { type: 'FlightBooked', leg: 'inbound', flight_ticket_ids: ['i1', 'i2'] },
  'FlightBooked return': { type: 'FlightBooked', leg: 'return', flight_ticket_ids: ['r1', 'r2'] },
  'FlightRefused inbound': { type: 'FlightRefused', leg: 'inbound', reason: 'full' },
  'FlightRefused return': { type: 'FlightRefused', leg: 'return', reason: 'full' },
  TaxiBooked: { type: 'TaxiBooked', taxi_booking_id: 't1' },
  TaxiRefused: { type: 'TaxiRefused', reason: 'none' },
  'FlightTicketCanceled i1': { type: 'FlightTicketCanceled', flight_ticket_id: 'i1' },
  'FlightTicketCanceled i2': { type: 'FlightTicketCanceled', flight_ticket_id: 'i2' },
  'FlightTicketCanceled r1': { type: 'FlightTicketCanceled', flight_ticket_id: 'r1' },
  'FlightTicketCanceled r2': { type: 'FlightTicketCanceled', flight_ticket_id: 'r2' },
  TaxiCanceled: { type: 'TaxiCanceled', taxi_booking_id: 't1' },
} as const satisfies Record<string, BundleCommand>

/** The context of a command that comes in this state: a deadline passes when it is due. */
export function contextFor(state: BundleState, command: BundleCommand) {
  const isDue = command.type === 'DeadlinePassed' && 'deadline_at' in state
  return { ...anyContext, at: isDue ? state.deadline_at : anyContext.at }
}

/** The table in the head of `actors/bundle.ts`: `from to` by the commands that lead there. */
export function drawnMoves(): Record<string, string[]> {
  const file = readFileSync(new URL('../../actors/bundle.ts', import.meta.url), 'utf8')
  const rows = file.matchAll(/^ \* {5}([a-z-]+) {2,}([a-z-]+) {2,}([A-Z]\w+(?:, \w+)*)$/gm)
  return Object.fromEntries([...rows].map(([, from, to, by = '']) => [`${from} ${to}`, by.split(', ').sort()]))
}

import type { OpsBooking, OpsBookingRow, OpsTicketRow } from '../../schemas/read-models.ts'
import type { OpsRow } from '../engine/read-model-ports.ts'

/**
 * Puts ops bookings together from their parts. Tickets of a booking that was never made here are those of none.
 *
 * @param rows all parts of each booking, one after the other
 */
export function opsBookingsOf(rows: OpsRow[]): OpsBooking[] {
  const parts = new Map<string, OpsRow[]>()
  for (const row of rows) {
    const known = parts.get(row.bookingId)
    if (known) known.push(row)
    else parts.set(row.bookingId, [row])
  }
  return [...parts.values()].flatMap((own) => assembled(own) ?? [])
}

function assembled(rows: OpsRow[]): OpsBooking | undefined {
  const booking = rows.find(({ kind }) => kind === 'booking')?.fields as OpsBookingRow | undefined
  if (!booking) return undefined
  const { booking_id, booked_at } = booking
  let { last_update } = booking
  const tickets: OpsBooking['tickets'] = {}
  for (const { kind, id, fields } of rows) {
    if (kind !== 'ticket') continue
    const { booking_id: _, last_update: changed_at, ...ticket } = fields as OpsTicketRow
    tickets[id] = ticket
    if (changed_at > last_update) last_update = changed_at
  }
  return { booking_id, booked_at, tickets, last_update }
}

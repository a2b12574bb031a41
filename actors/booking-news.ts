import type { BookingState } from '../schemas/booking.ts'
import type { CommandTo, Send } from '../schemas/index.ts'

/**
 * What a bundle is told of its booking: whatever has changed for it between two states. That all is settled goes before
 * why, so that a bundle with nothing else to undo ends at once.
 */
export function newsForBundle(bookingId: string, before: BookingState, after: BookingState): Send[] {
  if (!('bundle_id' in after) || after.bundle_id === undefined) return []
  const bundleId = after.bundle_id
  const news: CommandTo<'bundle'>[] = []
  const booking_id = bookingId
  if (isMade(after) && !isMade(before)) news.push({ type: 'BookingMade', booking_id })
  if (isConfirmed(after) && !isConfirmed(before)) news.push({ type: 'TicketsConfirmed', booking_id })
  if (isSettled(after) && !isSettled(before)) news.push({ type: 'BookingSettled', booking_id })
  const reason = breakIn(after)
  if (reason !== undefined && breakIn(before) === undefined) news.push({ type: 'BookingBroken', booking_id, reason })
  return news.map((command) => ({ send: 'bundle', id: bundleId, command }))
}

const isMade = ({ status }: BookingState): boolean => status === 'made'

function isConfirmed(state: BookingState): boolean {
  if (state.status !== 'made') return false
  const standings = Object.values(state.tickets)
  return standings.length === state.number_of_tickets && standings.every((standing) => standing === 'confirmed')
}

/** It has ended, no ticket of it is left to be refunded, and none is still to be expected. */
export function isSettled(state: BookingState): boolean {
  if (state.status === 'withdrawn') return true
  if (state.status !== 'failed' && state.status !== 'canceled') return false
  const standings = Object.values(state.tickets)
  const isAwaiting = state.status === 'canceled' && state.awaits_tickets && standings.length < state.number_of_tickets
  return !isAwaiting && standings.every((standing) => standing === 'gone')
}

/** Why a bundle cannot have all that it wanted of the booking, if it cannot. */
function breakIn(state: BookingState): string | undefined {
  switch (state.status) {
    case 'failed':
      return state.failure_reason
    case 'canceled':
      return 'the booking was canceled'
    case 'made': {
      const gone = Object.entries(state.tickets).find(([, standing]) => standing === 'gone')
      return gone && `ticket ${gone[0]} was canceled or refunded`
    }
    default:
      return undefined
  }
}

import type { BundleState, Part, PartState } from '../schemas/bundle.ts'
import type { Call } from '../schemas/index.ts'

/** The parts of a bundle's journey: how each is ordered and undone, and what became of it. */

export type Process = Exclude<BundleState, { status: 'unknown' }>

export const nothingKnown: PartState = { outcome: 'unknown', ids: [], undone_ids: [] }

/** Whether the part was ordered, and nobody knows yet what became of it. */
export function isAsked(state: BundleState, part: Part): state is Process {
  if (state.status === 'unknown' || state.parts[part].outcome !== 'unknown') return false
  return state.steps.some(({ name }) => name === part)
}

export const isBeingUndone = (state: Process, part: Part): boolean =>
  state.status === 'failed' || state.steps.some(({ name }) => name === `undoing-${part}`)

export function orderOf(part: Part, state: Process, id: string): Call {
  const { customer_email, passengers, number_of_tickets } = state
  if (part === 'taxi') {
    const customer = { customer_email, customer_name: passengers[0] ?? '', number_of_passengers: number_of_tickets }
    return { call: 'transportation', request: { type: 'BookTaxi', ...customer, reference_id: id } }
  }
  const leg = part === 'inbound-flight' ? 'inbound' : 'return'
  const flight = { customer_email, to_flight_id: state[`${leg}_flight_id`], passengers, reference_id: id, leg } as const
  return { call: 'transportation', request: { type: 'BookFlight', ...flight } }
}

/** One call for each ticket, so that one that fails keeps none of the others. */
export function undo(state: Process, part: Part): Call[] {
  return leftOf(state, part).map((id) => ({
    call: 'transportation',
    request:
      part === 'taxi'
        ? { type: 'CancelTaxi', taxi_booking_id: id }
        : { type: 'CancelFlightTickets', flight_ticket_id: [id] },
  }))
}

/** What is booked of a part, and not undone. */
export function leftOf({ parts }: Process, part: Part): string[] {
  const { ids, undone_ids } = parts[part]
  return ids.filter((id) => !undone_ids.includes(id))
}

export function note(state: BundleState, part: Part, change: Partial<PartState>): BundleState {
  if (state.status === 'unknown') return state
  return { ...state, parts: { ...state.parts, [part]: { ...state.parts[part], ...change } } }
}

export function noteUndone(state: BundleState, part: Part, id: string): BundleState {
  if (state.status === 'unknown') return state
  return note(state, part, { undone_ids: [...state.parts[part].undone_ids, id] })
}

import { seatsHeld } from '../../actors/seats.ts'
import type { BookingState } from '../../schemas/booking.ts'
import type { BundleState } from '../../schemas/bundle.ts'
import type { TurnRecord } from '../../src/engine/ports.ts'
import type { Folded } from './final.ts'
import type { Journeys } from './transportation.ts'
import type { Violation, Witness } from './witness.ts'

type Process = Exclude<BundleState, { status: 'unknown' }>
type World = { witness: Witness; journeys: Journeys }

/** Every bundle has ended, once, and what services and tickets have of it is all or nothing. */
export function* bundleFaults(world: World, folded: Map<string, Folded>, journal: TurnRecord[]): Generator<Violation> {
  const ends = endsOf(journal)
  for (const { kind, id, state } of folded.values()) {
    const bundle = state as BundleState
    if (kind !== 'bundle' || bundle.status === 'unknown') continue
    const booking = (folded.get(`booking.${bundle.booking_id}`)?.state ?? { status: 'unknown' }) as BookingState
    const hasEnded = bundle.status === 'succeeded' || bundle.status === 'failed'
    const told = JSON.stringify(ends.get(id) ?? [])
    const due = JSON.stringify(hasEnded ? [bundle.status === 'succeeded'] : [])
    if (told !== due) yield { invariant: 'a bundle is finalized once', details: `${id}: ${told} for ${due}` }
    if (bundle.status === 'succeeded') yield* successFaults(world, id, bundle, booking)
    else if (bundle.status === 'failed') yield* failureFaults(world, id, booking)
    else if (!isHeldUp(world, id, booking)) {
      yield { invariant: 'every bundle ends', details: `${id} is ${bundle.status}` }
    }
  }
}

function endsOf(journal: TurnRecord[]): Map<string, boolean[]> {
  const ends = new Map<string, boolean[]>()
  for (const { actorId, decision } of journal) {
    for (const event of decision.events ?? []) {
      if (event.type !== 'VipBundleFinalized_v1') continue
      ends.set(actorId, [...(ends.get(actorId) ?? []), (event as unknown as { success: boolean }).success])
    }
  }
  return ends
}

/** Both flights with a seat for each, the taxi, and every ticket was confirmed; what customers did later is theirs. */
function* successFaults({ journeys }: World, id: string, bundle: Process, booking: BookingState): Generator<Violation> {
  const { number_of_tickets: seats, inbound_flight_id, return_flight_id } = bundle
  const there = (journeys.get(id) ?? []).map(({ flightId, live }) => `${flightId || 'taxi'} ${live.size}`).sort()
  const due = [`${inbound_flight_id} ${seats}`, `${return_flight_id} ${seats}`, 'taxi 1'].sort()
  const tickets = 'tickets' in booking ? Object.keys(booking.tickets).length : 0
  if (there.join() !== due.join() || tickets !== seats) {
    const details = `${id} has ${there.join(', ') || 'nothing'} and ${tickets} tickets, for ${due.join(', ')}`
    yield { invariant: 'a bundle that succeeded has all of it', details }
  }
}

function* failureFaults(world: World, id: string, booking: BookingState): Generator<Violation> {
  const left = (world.journeys.get(id) ?? []).flatMap(({ live }) => [...live])
  const tickets = 'tickets' in booking ? Object.entries(booking.tickets) : []
  const kept = tickets.flatMap(([ticket, standing]) => (standing === 'gone' ? [] : [`ticket ${ticket} is ${standing}`]))
  const seats = seatsHeld(booking)
  const isLeft = left.length > 0 || kept.length > 0 || seats > 0
  if (isLeft && !isHeldUp(world, id, booking)) {
    const details = `${id}: ${[...left, ...kept].join(', ')}; ${seats} seats are held`
    yield { invariant: 'nothing is left of a bundle that failed', details }
  }
}

/** A call that was given up on or refused waits for a person: one of its own, or one by which a ticket is paid back. */
function isHeldUp({ witness }: World, id: string, booking: BookingState): boolean {
  const paysBack = ['IssueReceipt', 'VoidReceipt', 'RefundPayment']
  const tickets = new Set('tickets' in booking ? Object.keys(booking.tickets) : [])
  return [...witness.letters.values()].some(({ actorId, type }) => {
    return actorId === id || (tickets.has(actorId) && paysBack.includes(type))
  })
}

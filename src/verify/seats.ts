import { seatsHeld } from '../../actors/seats.ts'
import type { BookingState } from '../../schemas/booking.ts'
import type { ShowState } from '../../schemas/show.ts'
import type { Address } from '../engine/ports.ts'
import type { Findings } from './findings.ts'

type Account = { capacity: number; reserved: number; held: number; underWay: number }

/**
 * Who has the seats of each show at one moment. A seat that the show has reserved is held by a booking, or named by a message
 * that one has sent and the other has not taken: there is no moment at which it is nowhere, and none at which it is twice.
 *
 * It keeps four numbers for each show, however many bookings there are.
 */
export class SeatLedger {
  readonly #accounts = new Map<string, Account>()

  noteState({ kind, id }: Address, state: unknown): void {
    if (kind === 'show') {
      const show = state as ShowState
      if (show.status === 'on-sale') Object.assign(this.#of(id), { capacity: show.capacity, reserved: show.reserved })
    } else if (kind === 'booking') {
      const booking = state as BookingState
      if ('show_id' in booking) this.#of(booking.show_id).held += seatsHeld(booking)
    }
  }

  /** @param command was sent, and is not taken */
  noteUnderWay(to: Address, command: Record<string, unknown>): void {
    const { type, show_id, number_of_tickets: seats } = command
    if (typeof seats !== 'number') return
    if (to.kind === 'show' && type === 'ReleaseSeats') this.#of(to.id).underWay += seats
    if (to.kind === 'booking' && type === 'SeatsReserved') this.#of(String(show_id)).underWay += seats
  }

  judge(findings: Findings): void {
    for (const [id, { capacity, reserved, held, underWay }] of this.#accounts) {
      findings.look('seats')
      const look = `turnstile journal show show ${id}`
      if (reserved !== held + underWay) {
        const expected = `${held + underWay} seats reserved: ${held} held by bookings, ${underWay} under way`
        findings.differ('seats', { where: `show.${id}`, expected, found: String(reserved), look })
      } else if (reserved > capacity) {
        findings.differ('seats', {
          where: `show.${id}`,
          expected: `at most ${capacity} seats reserved`,
          found: String(reserved),
          look,
        })
      }
    }
  }

  #of(show: string): Account {
    const account = this.#accounts.get(show) ?? { capacity: 0, reserved: 0, held: 0, underWay: 0 }
    this.#accounts.set(show, account)
    return account
  }
}

import type { Call, CommandTo } from '../../schemas/index.ts'
import { deriveId } from '../../src/actor/ids.ts'
import type { Chance } from './random.ts'

type Request = Call['request']

/** How likely each service refuses for good. */
export type Refusals = { deadNation: number; flight: number; taxi: number }

/** What was booked under one key, and which of it was canceled. */
type Booked = { part: 'inbound' | 'return' | 'taxi'; ids: string[]; live: Set<string> }

/** What Dead Nation says of one ticket, whenever it does. */
export type TicketNews = { ticketId: string; bookingId: string; type: 'ConfirmTicket' | 'CancelTicket' }

/**
 * The external services, as far as bundles depend on them: each does what a key asks for once, and answers the same to the
 * same key. Files and the sheet of what is to be printed decide nothing here, so they are left out.
 */
export class ModelServices {
  /** By idempotency key. */
  readonly booked = new Map<string, Booked>()
  /** How often each flight ticket and taxi was canceled. */
  readonly canceled = new Map<string, number>()
  /** How often a ticket's money went back, by payment or by sheet. */
  readonly moneyBack = new Map<string, number>()
  readonly #answers = new Map<string, CommandTo<'bundle'> | CommandTo<'booking'> | CommandTo<'ticket'>>()
  readonly #chance: Chance
  readonly #refusals: Refusals
  readonly #tell: (news: TicketNews) => void

  constructor(chance: Chance, refusals: Refusals, tell: (news: TicketNews) => void) {
    this.#chance = chance
    this.#refusals = refusals
    this.#tell = tell
  }

  static handles({ type }: Request): boolean {
    return type !== 'StoreFile'
  }

  /** Does it, unless this key has been done. @returns what the actor that asked is to be told */
  perform(request: Request, key: string) {
    const known = this.#answers.get(key)
    if (known) return known
    const answer = this.#act(request, key)
    this.#answers.set(key, answer)
    return answer
  }

  #act(request: Request, key: string) {
    const refuses = (probability: number) => this.#chance.hits(probability)
    switch (request.type) {
      case 'BookTickets':
        if (refuses(this.#refusals.deadNation)) return { type: 'DeadNationRefused' as const, reason: 'sold out' }
        this.#issueTickets(request.booking_id, request.number_of_tickets)
        return { type: 'DeadNationAccepted' as const }
      case 'BookFlight': {
        const { leg, passengers } = request
        if (refuses(this.#refusals.flight)) return { type: 'FlightRefused' as const, leg, reason: 'full' }
        const ids = passengers.map((_, index) => `${leg} ${index} ${key}`)
        this.booked.set(key, { part: leg, ids, live: new Set(ids) })
        return { type: 'FlightBooked' as const, leg, flight_ticket_ids: ids }
      }
      case 'BookTaxi':
        if (refuses(this.#refusals.taxi)) return { type: 'TaxiRefused' as const, reason: 'none' }
        this.booked.set(key, { part: 'taxi', ids: [key], live: new Set([key]) })
        return { type: 'TaxiBooked' as const, taxi_booking_id: key }
      case 'CancelFlightTickets':
        this.#cancel(request.flight_ticket_id[0])
        return { type: 'FlightTicketCanceled' as const, flight_ticket_id: request.flight_ticket_id[0] }
      case 'CancelTaxi':
        this.#cancel(request.taxi_booking_id)
        return { type: 'TaxiCanceled' as const, taxi_booking_id: request.taxi_booking_id }
      case 'IssueReceipt':
        return { type: 'ReceiptIssued' as const, number: 'R-1', issued_at: '2026-01-02T03:04:05.000Z' }
      case 'VoidReceipt':
        return { type: 'ReceiptVoided' as const }
      case 'RefundPayment':
        this.#payBack(request.payment_reference)
        return { type: 'PaymentRefunded' as const }
      case 'AppendRow':
        if (request.sheet === 'tickets-to-refund') this.#payBack(request.columns[0] ?? '')
        return { type: 'RowAppended' as const, sheet: request.sheet }
      case 'StoreFile':
        throw new Error('files are left out')
    }
  }

  /** Mostly it confirms them all; some it cancels, before or after, and of some nobody ever hears. */
  #issueTickets(bookingId: string, count: number): void {
    const isTroubled = this.#chance.hits(0.3)
    for (let index = 0; index < count; index++) {
      const ticketId = deriveId(bookingId, index)
      const news = (type: TicketNews['type']) => this.#tell({ ticketId, bookingId, type })
      if (isTroubled && this.#chance.hits(0.3)) continue
      news('ConfirmTicket')
      if (this.#chance.hits(0.1)) news('ConfirmTicket')
      if (isTroubled && this.#chance.hits(0.2)) news('CancelTicket')
    }
  }

  #cancel(id: string): void {
    this.canceled.set(id, (this.canceled.get(id) ?? 0) + 1)
    for (const { live } of this.booked.values()) live.delete(id)
  }

  #payBack(ticketId: string): void {
    this.moneyBack.set(ticketId, (this.moneyBack.get(ticketId) ?? 0) + 1)
  }
}

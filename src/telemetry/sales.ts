import { Counter, type Registry } from 'prom-client'
import type { Tagged } from '../actor/actor.ts'
import type { Commit } from '../engine/ports.ts'
import { createTally, type Line } from './tally.ts'

type Priced = { price: { amount: string; currency: string } }
type Finalized = { success: boolean }

const iso4217 = new Set(Intl.supportedValuesOf('currency'))

/**
 * The business, by the events of committed turns. A turn counts when its commit is known to have gone in: never twice, and
 * never when it was rolled back. One whose commit's answer was lost is not counted: what is sold stands in the journal.
 */
export function createSales(registers: Registry[]): (commit: Pick<Commit, 'turns' | 'states'>) => void {
  const { bookings, tickets, refunds, bundles, revenue, refunded } = createCounters(registers)
  const tally = createTally()
  const line = (counter: Counter<'outcome'>, outcome: string): Line => tally.line(counter, { outcome })
  const lines: Record<string, Record<string, Line>> = {
    booking: {
      BookingMade_v1: line(bookings, 'made'),
      BookingFailed_v1: line(bookings, 'failed'),
      BookingCanceled_v1: line(bookings, 'canceled'),
    },
    ticket: {
      TicketBookingConfirmed_v1: line(tickets, 'confirmed'),
      TicketBookingCanceled_v1: line(tickets, 'canceled'),
      RefundRequested_v1: line(refunds, 'requested'),
      TicketRefunded_v1: line(refunds, 'paid'),
    },
    bundle: {
      VipBundleInitialized_v1: line(bundles, 'initialized'),
    },
  }
  const ends = { good: line(bundles, 'succeeded'), bad: line(bundles, 'failed') }

  const lineOf = (kind: string, event: Tagged): Line | undefined => {
    if (event.type !== 'VipBundleFinalized_v1') return lines[kind]?.[event.type]
    return (event as Tagged & Finalized).success ? ends.good : ends.bad
  }

  return ({ turns, states }) => {
    const refundedIds = new Set<string>()
    for (const { kind, actorId, decision } of turns) {
      for (const event of decision.events ?? []) {
        const line = lineOf(kind, event)
        if (line) line.count += 1
        if (event.type === 'TicketBookingConfirmed_v1') add(revenue, event as Tagged & Priced)
        if (event.type === 'TicketRefunded_v1' && kind === 'ticket') refundedIds.add(actorId)
      }
    }
    // The event has no price; its ticket has.
    if (refundedIds.size > 0) {
      for (const { id, state } of states) if (refundedIds.has(id)) add(refunded, state as Priced)
    }
    tally.tell()
  }
}

/** Whoever sends a webhook could make up a series for every three letters. */
function add(counter: Counter<'currency'>, { price: { amount, currency } }: Priced): void {
  counter.inc({ currency: iso4217.has(currency) ? currency : 'other' }, Number(amount))
}

function createCounters(registers: Registry[]) {
  const byOutcome = (name: string, help: string) =>
    new Counter({ name, help, labelNames: ['outcome'] as const, registers })
  const byCurrency = (name: string, what: string) => {
    const help = `${what}, by currency. A floating-point number: for graphs, not for the books`
    return new Counter({ name, help, labelNames: ['currency'] as const, registers })
  }
  return {
    bookings: byOutcome(
      'turnstile_bookings_total',
      'Bookings that were made (have their seats), failed, or were canceled',
    ),
    tickets: byOutcome('turnstile_tickets_total', 'Tickets that were confirmed, or canceled'),
    refunds: byOutcome('turnstile_refunds_total', 'Refunds of tickets that were requested, and that were paid'),
    bundles: byOutcome('turnstile_bundles_total', 'VIP bundles that were initialized, succeeded, or failed'),
    revenue: byCurrency('turnstile_revenue_total', 'Prices of the tickets that were confirmed'),
    refunded: byCurrency('turnstile_refunded_total', 'Prices of the tickets whose payment was refunded'),
  }
}

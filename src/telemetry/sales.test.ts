import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import type { StoredActor, TurnRecord } from '../engine/ports.ts'
import { turnOf } from '../store/store.fixtures.ts'
import { createSales } from './sales.ts'

const happened = (kind: string, ...events: ({ type: string } & Record<string, unknown>)[]): TurnRecord =>
  turnOf({ kind, decision: { outcome: 'accepted', events } })

const price = (amount: string, currency: string) => ({ price: { amount, currency } })

const ticketOf = ({ partition, kind, actorId: id, version }: TurnRecord, amount: string): StoredActor => {
  return { partition, kind, id, version, state: { status: 'refunded', ...price(amount, 'EUR') } }
}

/** What the series of these turns come to, as they are written for Prometheus; those that are 0 left out. */
async function salesOf(turns: TurnRecord[], states: StoredActor[] = []): Promise<string[]> {
  const registry = new Registry()
  createSales([registry])({ turns, states })
  const lines = (await registry.metrics()).split('\n')
  return lines.filter((line) => line.startsWith('turnstile_') && !line.endsWith(' 0'))
}

test('each outcome is counted by the event that says so', async () => {
  const sales = await salesOf([
    happened('booking', { type: 'BookingRequested_v2' }, { type: 'BookingMade_v1' }),
    happened('booking', { type: 'BookingMade_v1' }),
    happened('booking', { type: 'BookingFailed_v1' }),
    happened('booking', { type: 'BookingCanceled_v1' }, { type: 'NoTicketsExpected_v1' }),
    happened('ticket', { type: 'TicketBookingCanceled_v1', ...price('7.00', 'EUR') }),
    happened('ticket', { type: 'RefundRequested_v1' }),
    happened('bundle', { type: 'BundleRequested_v1' }, { type: 'VipBundleInitialized_v1' }),
    happened('bundle', { type: 'VipBundleFinalized_v1', success: true }),
    happened('bundle', { type: 'VipBundleFinalized_v1', success: false }),
    turnOf({ kind: 'show', decision: { outcome: 'refused' } }),
  ])
  assert.deepEqual(sales, [
    'turnstile_bookings_total{outcome="made"} 2',
    'turnstile_bookings_total{outcome="failed"} 1',
    'turnstile_bookings_total{outcome="canceled"} 1',
    'turnstile_tickets_total{outcome="canceled"} 1',
    'turnstile_refunds_total{outcome="requested"} 1',
    'turnstile_bundles_total{outcome="initialized"} 1',
    'turnstile_bundles_total{outcome="succeeded"} 1',
    'turnstile_bundles_total{outcome="failed"} 1',
  ])
})

test('what a booking remembers of its tickets is not counted again', async () => {
  assert.deepEqual(
    await salesOf([happened('booking', { type: 'TicketRefunded_v1' }, { type: 'TicketConfirmed_v1' })]),
    [],
  )
})

test('revenue is what confirmed tickets cost, by currency', async () => {
  const confirmed = (amount: string, currency: string) =>
    happened('ticket', { type: 'TicketBookingConfirmed_v1', ...price(amount, currency) })
  assert.deepEqual(await salesOf([confirmed('50.30', 'EUR'), confirmed('9.70', 'EUR'), confirmed('20', 'USD')]), [
    'turnstile_tickets_total{outcome="confirmed"} 3',
    'turnstile_revenue_total{currency="EUR"} 60',
    'turnstile_revenue_total{currency="USD"} 20',
  ])
})

test('currencies that there are not share one series', async () => {
  const confirmed = ['AAA', 'AAB'].map((currency) =>
    happened('ticket', { type: 'TicketBookingConfirmed_v1', ...price('1', currency) }),
  )
  assert.ok((await salesOf(confirmed)).includes('turnstile_revenue_total{currency="other"} 2'))
})

test('a refund counts with the price of its ticket', async () => {
  const refunded = happened('ticket', { type: 'TicketRefunded_v1' })
  const printed = happened('ticket', { type: 'TicketPrinted_v1' })
  assert.deepEqual(await salesOf([refunded, printed], [ticketOf(refunded, '12.50'), ticketOf(printed, '99')]), [
    'turnstile_refunds_total{outcome="paid"} 1',
    'turnstile_refunded_total{currency="EUR"} 12.5',
  ])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BookingView, VipBundleView } from '../../schemas/http.ts'
import { bookingId, bundleId, bundleOrder } from '../../test/support/bundles.ts'
import { holdingsOf, imbalanceOf, type Services } from './balance.ts'

const tickets = ['t1', 't2']
const bundle = (status: VipBundleView['status']) =>
  ({ vip_bundle_id: bundleId, booking_id: bookingId, status, ...bundleOrder, steps: [] }) as unknown as VipBundleView
const booking = (status: BookingView['status'], standing: 'confirmed' | 'gone') =>
  ({ status, tickets: Object.fromEntries(tickets.map((ticket) => [ticket, standing])) }) as unknown as BookingView

const [kept, lost] = [booking('made', 'confirmed'), booking('canceled', 'gone')]
const refunds = tickets.map((payment_reference) => ({ payment_reference }))
const nothing: Services = { flight_tickets: [], taxi_bookings: [], refunds: [], sheets: {} }
const taxi_bookings = [{ booking_id: 'taxi', reference_id: bundleId }]
const flight_tickets = [bundleOrder.inbound_flight_id, bundleOrder.return_flight_id].flatMap((flight_id) => {
  return bundleOrder.passengers.map((passenger_name) => {
    return { ticket_id: `${flight_id} ${passenger_name}`, flight_id, passenger_name, reference_id: bundleId }
  })
})
const everything = { ...nothing, flight_tickets, taxi_bookings }

const wrong = (status: VipBundleView['status'], booking: BookingView, services: Services) =>
  imbalanceOf(bundle(status), booking, holdingsOf(services)).map((line) => line.split(': ')[1])

test('a bundle that has everything, or nothing and its money back, is in balance', () => {
  assert.deepEqual(wrong('succeeded', kept, everything), [])
  assert.deepEqual(wrong('failed', lost, { ...nothing, refunds }), [])
  const [first = '', second = ''] = tickets
  const bothWays = { ...nothing, refunds: [{ payment_reference: first }], sheets: { 'tickets-to-refund': [[second]] } }
  assert.deepEqual(wrong('failed', lost, bothWays), [])
})

test('whatever is missing from a good one, or is left of a bad one, is told', () => {
  const money = 'how often their money went back'
  assert.deepEqual(wrong('succeeded', kept, { ...everything, flight_tickets: flight_tickets.slice(1) }), [
    'the flight tickets',
  ])
  assert.deepEqual(wrong('succeeded', kept, { ...everything, taxi_bookings: [] }), ['the taxis'])
  assert.deepEqual(wrong('succeeded', kept, { ...everything, refunds }), [money])
  assert.deepEqual(wrong('succeeded', { ...kept, tickets: {} }, everything), ['whether all tickets are there'])
  assert.deepEqual(wrong('failed', lost, { ...everything, refunds }), ['the flight tickets', 'the taxis'])
  assert.deepEqual(wrong('failed', lost, nothing), [money])
  assert.deepEqual(wrong('failed', lost, { ...nothing, refunds: [...refunds, ...refunds] }), [money])
  assert.deepEqual(wrong('failed', booking('made', 'confirmed'), { ...nothing, refunds }), [
    'how the tickets stand',
    'whether the booking stands',
  ])
  assert.deepEqual(wrong('undoing-booking', lost, { ...nothing, refunds }), ['whether it has ended'])
})

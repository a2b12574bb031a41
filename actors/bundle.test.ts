import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { BundleCommand, BundleEvent, BundleState } from '../schemas/bundle.ts'
import type { Intent } from '../schemas/index.ts'
import type { Decision } from '../src/actor/actor.ts'
import { bookingId, bundleId, bundleOrder, contextFor, drawnMoves, toldToBundle } from '../test/support/bundles.ts'
import { anyContext, given } from '../test/support/given.ts'
import { bundle } from './bundle.ts'

type Name = keyof typeof toldToBundle

/** What happened to a bundle that was told all this. */
function after(...names: Name[]): BundleEvent[] {
  const history: BundleEvent[] = []
  for (const name of names) {
    const told = given(bundle, ...history)
    const { decision } = told.when(toldToBundle[name], contextFor(told.state, toldToBundle[name]))
    assert.ok('events' in decision, `${name} changes nothing: ${JSON.stringify(decision)}`)
    history.push(...decision.events)
  }
  return history
}

function tell(history: BundleEvent[], command: BundleCommand) {
  const told = given(bundle, ...history)
  return { from: told.state.status, ...told.when(command, contextFor(told.state, command)) }
}

const intentsOf = (decision: Decision<BundleEvent>): Intent[] => ('then' in decision ? decision.then : undefined) ?? []
const typesOf = (decision: Decision<BundleEvent>): string[] =>
  'events' in decision ? decision.events.map(({ type }) => type) : []

/** An intent in a few words. */
function inShort(intent: Intent): string {
  if ('send' in intent) return `${intent.send} ${intent.command.type}`
  const { request } = intent
  switch (request.type) {
    case 'BookFlight':
      return `BookFlight ${request.leg}`
    case 'CancelFlightTickets':
      return `CancelFlightTickets ${request.flight_ticket_id}`
    default:
      return request.type
  }
}

const toInbound: Name[] = ['InitializeVipBundle', 'BookingMade']
const toReturn: Name[] = [...toInbound, 'FlightBooked inbound']
const toTaxi: Name[] = [...toReturn, 'FlightBooked return']
const toConfirmations: Name[] = [...toTaxi, 'TaxiBooked']

describe('a VIP bundle', () => {
  test('begins with its booking, and answers at once', () => {
    const { show_id, customer_email } = bundleOrder
    const order = { booking_id: bookingId, bundle_id: bundleId, show_id, number_of_tickets: 2, customer_email }
    given(bundle)
      .when({ ...toldToBundle.InitializeVipBundle, vip_bundle_id: bundleId })
      .then({
        events: [
          { type: 'VipBundleInitialized_v1', vip_bundle_id: bundleId },
          {
            type: 'BundleRequested_v1',
            ...bundleOrder,
            booking_id: bookingId,
            at: anyContext.at,
            deadline_at: '2026-01-02T03:14:05.000Z',
          },
        ],
        then: [{ send: 'booking', id: bookingId, command: { type: 'BookShowTickets', ...order } }],
        reply: { ok: { booking_id: bookingId, vip_bundle_id: bundleId } },
      })
  })

  test('that is asked for again changes nothing, and is answered the same', () => {
    const { decision } = tell(after('InitializeVipBundle'), toldToBundle.InitializeVipBundle)
    assert.ok('ignore' in decision)
    assert.deepEqual(decision.reply, { ok: { booking_id: bookingId, vip_bundle_id: bundleId } })
  })

  test('of another id, or with other passengers than tickets, is refused', () => {
    const initialize = toldToBundle.InitializeVipBundle
    given(bundle)
      .when({ ...initialize, vip_bundle_id: bookingId })
      .thenRefused('wrong-bundle')
    given(bundle)
      .when({ ...initialize, passengers: ['Kate'] })
      .thenRefused('wrong-passengers')
  })

  test('orders flights and a taxi in its name', () => {
    const flight = { customer_email: 'kate@example.com', passengers: ['Kate', 'Del'], reference_id: bundleId }
    const [inbound] = intentsOf(tell(after('InitializeVipBundle'), toldToBundle.BookingMade).decision)
    assert.deepEqual(inbound, {
      call: 'transportation',
      request: { type: 'BookFlight', ...flight, to_flight_id: bundleOrder.inbound_flight_id, leg: 'inbound' },
    })
    const [back] = intentsOf(tell(after(...toInbound), toldToBundle['FlightBooked inbound']).decision)
    assert.deepEqual(back, {
      call: 'transportation',
      request: { type: 'BookFlight', ...flight, to_flight_id: bundleOrder.return_flight_id, leg: 'return' },
    })
    const [taxi] = intentsOf(tell(after(...toReturn), toldToBundle['FlightBooked return']).decision)
    const customer = { customer_email: 'kate@example.com', customer_name: 'Kate', number_of_passengers: 2 }
    assert.deepEqual(taxi, {
      call: 'transportation',
      request: { type: 'BookTaxi', ...customer, reference_id: bundleId },
    })
  })

  test('tells what was booked and what was not', () => {
    const publicOf = (names: Name[], command: BundleCommand) => {
      const { decision } = tell(after(...names), command)
      return 'events' in decision ? decision.events[0] : decision
    }
    const reference_id = bundleId
    assert.deepEqual(publicOf(toReturn, toldToBundle['FlightBooked return']), {
      type: 'FlightBooked_v1',
      flight_id: bundleOrder.return_flight_id,
      flight_tickets_ids: ['r1', 'r2'],
      reference_id,
    })
    assert.deepEqual(publicOf(toInbound, toldToBundle['FlightRefused inbound']), {
      type: 'FlightBookingFailed_v1',
      flight_id: bundleOrder.inbound_flight_id,
      failure_reason: 'full',
      reference_id,
    })
    assert.deepEqual(publicOf(toTaxi, toldToBundle.TaxiBooked), {
      type: 'TaxiBooked_v1',
      taxi_booking_id: 't1',
      reference_id,
    })
    assert.deepEqual(publicOf(toTaxi, toldToBundle.TaxiRefused), {
      type: 'TaxiBookingFailed_v1',
      failure_reason: 'none',
      reference_id,
    })
  })

  test('keeps when each step began and ended', () => {
    const later = { at: '2026-01-02T03:05:00.000Z' }
    const { stateAfter } = given(bundle, ...after('InitializeVipBundle')).when(toldToBundle.BookingMade, later)
    assert.ok('steps' in stateAfter)
    assert.deepEqual(stateAfter.steps, [
      { name: 'booking', began_at: anyContext.at, ended_at: later.at },
      { name: 'inbound-flight', began_at: later.at, ended_at: null },
    ])
  })

  test('has an alarm in the steps that have a deadline, and in no other', () => {
    const alarmAfter = (...names: Name[]) => bundle.alarm?.(given(bundle, ...after(...names)).state)
    const command = { type: 'DeadlinePassed' }
    const first = '2026-01-02T03:14:05.000Z'
    for (const names of [['InitializeVipBundle'], toInbound, toReturn, toTaxi] as Name[][]) {
      assert.deepEqual(alarmAfter(...names), { at: first, command })
    }
    assert.deepEqual(alarmAfter(...toTaxi, 'DeadlinePassed'), { at: '2026-01-02T03:24:05.000Z', command })
    assert.equal(alarmAfter(...toConfirmations), undefined)
    assert.equal(alarmAfter(...toConfirmations, 'CancelVipBundle'), undefined)
  })

  test('does not believe in a deadline before its time', () => {
    for (const names of [toInbound, toConfirmations]) {
      given(bundle, ...after(...names))
        .when({ type: 'DeadlinePassed' })
        .thenIgnored()
    }
  })

  test('is stopped only while it is under way', () => {
    given(bundle).when({ type: 'CancelVipBundle' }).thenRefused('unknown-vip-bundle')
    const done = after(...toConfirmations, 'TicketsConfirmed')
    given(bundle, ...done)
      .when({ type: 'CancelVipBundle' })
      .thenRefused('vip-bundle-succeeded')
    const { decision } = tell(after(...toTaxi, 'CancelVipBundle'), { type: 'CancelVipBundle' })
    assert.ok('ignore' in decision && decision.reply)
  })

  test('listens to no booking but its own', () => {
    const booking_id = bundleId
    for (const [names, type] of [
      [['InitializeVipBundle'], 'BookingMade'],
      [toConfirmations, 'TicketsConfirmed'],
      [toConfirmations, 'BookingSettled'],
    ] as const) {
      given(bundle, ...after(...names))
        .when({ type, booking_id })
        .thenIgnored()
    }
    given(bundle, ...after(...toTaxi))
      .when({ type: 'BookingBroken', booking_id, reason: 'x' })
      .thenIgnored()
  })

  test('has failed once: what turns out booked then is undone all the same', () => {
    const failed: Name[] = [...toReturn, 'DeadlinePassed', 'DeadlinePassed', 'FlightTicketCanceled i1']
    const history = after(...failed, 'FlightTicketCanceled i2', 'BookingSettled')
    assert.equal(given(bundle, ...history).state.status, 'failed')
    const { decision, stateAfter } = tell(history, toldToBundle['FlightBooked return'])
    assert.deepEqual(intentsOf(decision).map(inShort), ['CancelFlightTickets r1', 'CancelFlightTickets r2'])
    assert.deepEqual(typesOf(decision), ['FlightBooked_v1', 'PartBooked_v1'])
    assert.equal(stateAfter.status, 'failed')
  })

  test('that has succeeded undoes nothing any more', () => {
    const history = after(...toConfirmations, 'TicketsConfirmed')
    for (const [name, command] of Object.entries(toldToBundle)) {
      const { decision } = tell(history, command)
      assert.ok(!('events' in decision), name)
    }
  })
})

/** What is known, what comes, what is then asked for, and where that leads. */
const moves: [known: Name[], told: Name, asks: string[], to: BundleState['status']][] = [
  [[], 'InitializeVipBundle', ['booking BookShowTickets'], 'booking'],
  [['InitializeVipBundle'], 'BookingMade', ['BookFlight inbound'], 'inbound-flight'],
  [toInbound, 'FlightBooked inbound', ['BookFlight return'], 'return-flight'],
  [toReturn, 'FlightBooked return', ['BookTaxi'], 'taxi'],
  [toTaxi, 'TaxiBooked', [], 'confirmations'],
  [[...toTaxi, 'TicketsConfirmed'], 'TaxiBooked', [], 'succeeded'],
  [toConfirmations, 'TicketsConfirmed', [], 'succeeded'],

  // Why it is undone.
  ...(['BookingBroken', 'CancelVipBundle', 'DeadlinePassed'] as const).flatMap((told): typeof moves => [
    [['InitializeVipBundle'], told, ['booking CancelBooking'], 'undoing-booking'],
    [['InitializeVipBundle', 'BookingSettled'], told, [], 'failed'],
    [toInbound, told, [], 'awaiting-outcome'],
    [toReturn, told, [], 'awaiting-outcome'],
    [toTaxi, told, [], 'awaiting-outcome'],
  ]),
  [toConfirmations, 'BookingBroken', ['CancelTaxi'], 'undoing-taxi'],
  [toConfirmations, 'CancelVipBundle', ['CancelTaxi'], 'undoing-taxi'],
  [toInbound, 'FlightRefused inbound', ['booking CancelBooking'], 'undoing-booking'],
  [[...toInbound, 'BookingSettled'], 'FlightRefused inbound', [], 'failed'],
  [toReturn, 'FlightRefused return', ['CancelFlightTickets i1', 'CancelFlightTickets i2'], 'undoing-inbound-flight'],
  [toTaxi, 'TaxiRefused', ['CancelFlightTickets r1', 'CancelFlightTickets r2'], 'undoing-return-flight'],

  // What was under way when that began.
  ...(['DeadlinePassed', 'FlightRefused inbound'] as const).flatMap((told): typeof moves => [
    [[...toInbound, 'CancelVipBundle'], told, ['booking CancelBooking'], 'undoing-booking'],
    [[...toInbound, 'CancelVipBundle', 'BookingSettled'], told, [], 'failed'],
  ]),
  ...(['DeadlinePassed', 'FlightRefused return'] as const).map((told): (typeof moves)[number] => {
    const asks = ['CancelFlightTickets i1', 'CancelFlightTickets i2']
    return [[...toReturn, 'CancelVipBundle'], told, asks, 'undoing-inbound-flight']
  }),
  ...(
    [
      [[...toInbound, 'CancelVipBundle'], 'FlightBooked inbound', 'i', 'undoing-inbound-flight'],
      [[...toReturn, 'CancelVipBundle'], 'FlightBooked return', 'r', 'undoing-return-flight'],
      [[...toTaxi, 'CancelVipBundle'], 'DeadlinePassed', 'r', 'undoing-return-flight'],
      [[...toTaxi, 'CancelVipBundle'], 'TaxiRefused', 'r', 'undoing-return-flight'],
    ] as [Name[], Name, string, BundleState['status']][]
  ).map(([known, told, leg, to]): (typeof moves)[number] => {
    return [known, told, [`CancelFlightTickets ${leg}1`, `CancelFlightTickets ${leg}2`], to]
  }),
  [[...toTaxi, 'CancelVipBundle'], 'TaxiBooked', ['CancelTaxi'], 'undoing-taxi'],
]

const undoneTaxi: Name[] = [...toConfirmations, 'CancelVipBundle', 'TaxiCanceled']
const undoneReturn: Name[] = [...undoneTaxi, 'FlightTicketCanceled r1', 'FlightTicketCanceled r2']
const inboundTickets = ['CancelFlightTickets i1', 'CancelFlightTickets i2']
const returnTickets = ['CancelFlightTickets r1', 'CancelFlightTickets r2']
/** The taxi was given up on, and comes while something else is undone. */
const lateTaxi: Name[] = [...toTaxi, 'CancelVipBundle', 'DeadlinePassed']
const lateTaxiAtReturn: Name[] = [...lateTaxi, 'TaxiBooked', 'FlightTicketCanceled r1']
const lateTaxiAtInbound: Name[] = [
  ...lateTaxi,
  'FlightTicketCanceled r1',
  'FlightTicketCanceled r2',
  'TaxiBooked',
  'FlightTicketCanceled i1',
]
const lateTaxiAtBooking: Name[] = [
  ...lateTaxi,
  'FlightTicketCanceled r1',
  'FlightTicketCanceled r2',
  'FlightTicketCanceled i1',
  'FlightTicketCanceled i2',
]
const lateReturn: Name[] = [...toReturn, 'CancelVipBundle', 'DeadlinePassed']
const lateReturnAtBooking: Name[] = [...lateReturn, 'FlightTicketCanceled i1', 'FlightTicketCanceled i2']
const lateInbound: Name[] = [...toInbound, 'CancelVipBundle', 'DeadlinePassed']

/** In reverse order, one after the other; what comes late is next. */
const undoings: typeof moves = [
  [[...toConfirmations, 'CancelVipBundle'], 'TaxiCanceled', returnTickets, 'undoing-return-flight'],
  [[...undoneTaxi, 'FlightTicketCanceled r1'], 'FlightTicketCanceled r2', inboundTickets, 'undoing-inbound-flight'],
  [
    [...undoneReturn, 'FlightTicketCanceled i2'],
    'FlightTicketCanceled i1',
    ['booking CancelBooking'],
    'undoing-booking',
  ],
  [[...undoneReturn, 'FlightTicketCanceled i2', 'BookingSettled'], 'FlightTicketCanceled i1', [], 'failed'],
  [[...undoneReturn, 'FlightTicketCanceled i1', 'FlightTicketCanceled i2'], 'BookingSettled', [], 'failed'],

  [lateTaxiAtReturn, 'FlightTicketCanceled r2', ['CancelTaxi'], 'undoing-taxi'],
  [[...lateTaxiAtReturn, 'FlightTicketCanceled r2'], 'TaxiCanceled', inboundTickets, 'undoing-inbound-flight'],
  [lateTaxiAtInbound, 'FlightTicketCanceled i2', ['CancelTaxi'], 'undoing-taxi'],
  [lateTaxiAtBooking, 'TaxiBooked', ['CancelTaxi'], 'undoing-taxi'],
  [[...lateTaxiAtBooking, 'TaxiBooked'], 'TaxiCanceled', ['booking CancelBooking'], 'undoing-booking'],
  [[...lateTaxiAtBooking, 'TaxiBooked', 'BookingSettled'], 'TaxiCanceled', [], 'failed'],
  [
    [...lateReturn, 'FlightBooked return', 'FlightTicketCanceled i1'],
    'FlightTicketCanceled i2',
    returnTickets,
    'undoing-return-flight',
  ],
  [lateReturnAtBooking, 'FlightBooked return', returnTickets, 'undoing-return-flight'],
  [
    [...lateReturnAtBooking, 'FlightBooked return', 'FlightTicketCanceled r1'],
    'FlightTicketCanceled r2',
    ['booking CancelBooking'],
    'undoing-booking',
  ],
  [
    [...lateReturnAtBooking, 'FlightBooked return', 'BookingSettled', 'FlightTicketCanceled r1'],
    'FlightTicketCanceled r2',
    [],
    'failed',
  ],
  [lateInbound, 'FlightBooked inbound', inboundTickets, 'undoing-inbound-flight'],
]

describe('a VIP bundle moves', () => {
  const covered = new Map<string, Set<string>>()
  for (const [known, name, asks, to] of [...moves, ...undoings]) {
    const { from, decision, stateAfter } = tell(after(...known), toldToBundle[name])
    covered.set(`${from} ${to}`, (covered.get(`${from} ${to}`) ?? new Set()).add(toldToBundle[name].type))
    test(`from ${from} to ${to} by ${name}`, () => {
      assert.deepEqual(intentsOf(decision).map(inShort), asks)
      assert.equal(stateAfter.status, to)
      const isEnd = to === 'failed' || to === 'succeeded'
      assert.equal(typesOf(decision).includes('VipBundleFinalized_v1'), isEnd)
    })
  }

  test('only as these stories tell', () => {
    const told = [...covered].map(([move, by]) => [move, [...by].sort()])
    assert.deepEqual(Object.fromEntries(told), drawnMoves())
  })
})

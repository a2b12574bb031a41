import { z } from 'zod'
import { commands, events, type MessageOf } from './message.ts'
import { email, id, text, ticketsOfBooking, timestamp } from './values.ts'

const order = {
  show_id: id,
  number_of_tickets: ticketsOfBooking,
  customer_email: email,
  inbound_flight_id: id,
  return_flight_id: id,
  passengers: z.array(text()).min(1).max(1_000),
}

/** The two flights, as the transportation service is asked for them. */
export const leg = z.enum(['inbound', 'return'])

/** What is booked for the journey, in this order. */
export const parts = ['inbound-flight', 'return-flight', 'taxi'] as const
export const part = z.enum(parts)
export type Part = z.infer<typeof part>

export const bundleCommands = commands({
  /** `vip_bundle_id` repeats the id in the subject and may be left out. There are as many passengers as tickets. */
  InitializeVipBundle: { vip_bundle_id: id.optional(), ...order },
  /** Stops, and undoes everything. */
  CancelVipBundle: {},
  /** Its own alarm. Whoever else says so is not believed before its time. */
  DeadlinePassed: {},
  /** News of its booking: it has its seats; all its tickets are confirmed. */
  BookingMade: { booking_id: id },
  TicketsConfirmed: { booking_id: id },
  /** It failed, was canceled, or one of its tickets is gone. */
  BookingBroken: { booking_id: id, reason: text() },
  /** It has ended, no ticket of it is left to be refunded, and none is still to be expected. */
  BookingSettled: { booking_id: id },
  /** What the transportation service answered to our calls. */
  FlightBooked: { leg, flight_ticket_ids: z.array(text()).min(1) },
  FlightRefused: { leg, reason: text() },
  FlightTicketCanceled: { flight_ticket_id: text() },
  TaxiBooked: { taxi_booking_id: text() },
  TaxiRefused: { reason: text() },
  TaxiCanceled: { taxi_booking_id: text() },
})
export type BundleCommand = MessageOf<typeof bundleCommands>

/** What waits only so long. */
const timedSteps = z.enum(['booking', ...parts, 'awaiting-outcome'])
/** What is waited for until it is there: the booking has a deadline of its own, and what is undone is undone for sure. */
const untimedSteps = z.enum([
  'confirmations',
  'undoing-taxi',
  'undoing-return-flight',
  'undoing-inbound-flight',
  'undoing-booking',
])
const ends = z.enum(['succeeded', 'failed'])

export const stepNames = z.enum([...timedSteps.options, ...untimedSteps.options])
export type StepName = z.infer<typeof stepNames>

const names = { reference_id: id }

export const bundleEvents = events({
  BundleRequested_v1: { ...order, booking_id: id, at: timestamp, deadline_at: timestamp },
  /** The step under way has ended, and another, or none, has begun. */
  BundleMoved_v1: {
    to: z.enum([...stepNames.options, ...ends.options]),
    at: timestamp,
    deadline_at: timestamp.optional(),
  },
  RollbackBegan_v1: { reason: text() },
  TicketsConfirmed_v1: {},
  BookingSettled_v1: {},
  /** Beside the public events, which do not tell one flight from the other. */
  PartBooked_v1: { part, ids: z.array(text()) },
  PartRefused_v1: { part },
  PartUndone_v1: { part, id: text() },
  /** The rest is public: names and fields fixed by the contract. */
  VipBundleInitialized_v1: { vip_bundle_id: id },
  VipBundleFinalized_v1: { vip_bundle_id: id, success: z.boolean() },
  FlightBooked_v1: { flight_id: id, flight_tickets_ids: z.array(text()), ...names },
  FlightBookingFailed_v1: { flight_id: id, failure_reason: text(), ...names },
  TaxiBooked_v1: { taxi_booking_id: text(), ...names },
  TaxiBookingFailed_v1: { failure_reason: text(), ...names },
})
export type BundleEvent = MessageOf<typeof bundleEvents>

/** What became of a part: a flight has a ticket for each passenger, the taxi one booking. */
const partState = z.strictObject({
  outcome: z.enum(['unknown', 'booked', 'refused']),
  ids: z.array(text()),
  undone_ids: z.array(text()),
})
export type PartState = z.infer<typeof partState>

const process = {
  ...order,
  booking_id: id,
  are_tickets_confirmed: z.boolean(),
  is_booking_settled: z.boolean(),
  parts: z.record(part, partState),
  /** In the order in which they began; the last one is under way until the bundle has ended. */
  steps: z.array(z.strictObject({ name: stepNames, began_at: timestamp, ended_at: timestamp.nullable() })),
  /** Why everything is undone, once it is. */
  rollback_reason: text().nullable(),
}

/** Where the process stands. What the steps are and how they follow each other is drawn in `actors/bundle.ts`. */
export const bundleState = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('unknown') }),
  z.strictObject({ status: timedSteps, ...process, deadline_at: timestamp }),
  z.strictObject({ status: untimedSteps, ...process }),
  z.strictObject({ status: ends, ...process }),
])
export type BundleState = z.infer<typeof bundleState>

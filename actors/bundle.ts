import {
  type BundleCommand,
  type BundleEvent,
  type BundleState,
  bundleCommands,
  bundleEvents,
  bundleState,
  type Part,
  parts,
} from '../schemas/bundle.ts'
import { laterBy } from '../schemas/values.ts'
import type { Actor, Context, Decision } from '../src/actor/actor.ts'
import {
  isAsked,
  isBeingUndone,
  leftOf,
  note,
  noteUndone,
  nothingKnown,
  orderOf,
  type Process,
  undo,
} from './bundle-parts.ts'

type Accepted = Extract<Decision<BundleEvent>, { events: unknown }>
type Moved = Extract<BundleEvent, { type: 'BundleMoved_v1' }>

/**
 * A VIP bundle books tickets, two flights and a taxi, one after the other; when something fails it undoes what it has,
 * in reverse order. Whatever else it is told in a step changes no step. A test keeps this table equal to the code.
 *
 *     in                      goes to                 when told
 *     unknown                 booking                 InitializeVipBundle
 *     booking                 inbound-flight          BookingMade
 *     booking                 undoing-booking         BookingBroken, CancelVipBundle, DeadlinePassed
 *     booking                 failed                  BookingBroken, CancelVipBundle, DeadlinePassed
 *     inbound-flight          return-flight           FlightBooked
 *     inbound-flight          awaiting-outcome        BookingBroken, CancelVipBundle, DeadlinePassed
 *     inbound-flight          undoing-booking         FlightRefused
 *     inbound-flight          failed                  FlightRefused
 *     return-flight           taxi                    FlightBooked
 *     return-flight           awaiting-outcome        BookingBroken, CancelVipBundle, DeadlinePassed
 *     return-flight           undoing-inbound-flight  FlightRefused
 *     taxi                    confirmations           TaxiBooked
 *     taxi                    awaiting-outcome        BookingBroken, CancelVipBundle, DeadlinePassed
 *     taxi                    undoing-return-flight   TaxiRefused
 *     taxi                    succeeded               TaxiBooked
 *     confirmations           undoing-taxi            BookingBroken, CancelVipBundle
 *     confirmations           succeeded               TicketsConfirmed
 *     awaiting-outcome        undoing-taxi            TaxiBooked
 *     awaiting-outcome        undoing-return-flight   DeadlinePassed, FlightBooked, TaxiRefused
 *     awaiting-outcome        undoing-inbound-flight  DeadlinePassed, FlightBooked, FlightRefused
 *     awaiting-outcome        undoing-booking         DeadlinePassed, FlightRefused
 *     awaiting-outcome        failed                  DeadlinePassed, FlightRefused
 *     undoing-taxi            undoing-return-flight   TaxiCanceled
 *     undoing-taxi            undoing-inbound-flight  TaxiCanceled
 *     undoing-taxi            undoing-booking         TaxiCanceled
 *     undoing-taxi            failed                  TaxiCanceled
 *     undoing-return-flight   undoing-taxi            FlightTicketCanceled
 *     undoing-return-flight   undoing-inbound-flight  FlightTicketCanceled
 *     undoing-return-flight   undoing-booking         FlightTicketCanceled
 *     undoing-return-flight   failed                  FlightTicketCanceled
 *     undoing-inbound-flight  undoing-taxi            FlightTicketCanceled
 *     undoing-inbound-flight  undoing-return-flight   FlightTicketCanceled
 *     undoing-inbound-flight  undoing-booking         FlightTicketCanceled
 *     undoing-inbound-flight  failed                  FlightTicketCanceled
 *     undoing-booking         undoing-taxi            TaxiBooked
 *     undoing-booking         undoing-return-flight   FlightBooked
 *     undoing-booking         undoing-inbound-flight  FlightBooked
 *     undoing-booking         failed                  BookingSettled
 *
 * A call that is under way when the rollback begins may still turn out booked: that is waited for until the deadline of
 * `awaiting-outcome`. What turns out booked later, even after the end, is undone too. A bundle has failed only when all
 * that it knows of is undone and its booking is settled; once it has succeeded nothing is undone any more.
 */
export const bundle: Actor<BundleState, BundleCommand, BundleEvent> = {
  kind: 'bundle',
  schemas: { state: bundleState, messages: bundleCommands, events: bundleEvents },
  initial: { status: 'unknown' },

  decide: {
    InitializeVipBundle(state, { type: _, vip_bundle_id, ...order }, { id, at, deadlines, childId }) {
      if (vip_bundle_id !== undefined && vip_bundle_id !== id) {
        return { refuse: 'wrong-bundle', reason: `vip_bundle_id is ${vip_bundle_id}, but the subject names ${id}` }
      }
      const { show_id, number_of_tickets, customer_email, passengers } = order
      if (passengers.length !== number_of_tickets) {
        return {
          refuse: 'wrong-passengers',
          reason: `${passengers.length} passengers for ${number_of_tickets} tickets`,
        }
      }
      const booking_id = childId('booking')
      const reply = { ok: { booking_id, vip_bundle_id: id } }
      if (state.status !== 'unknown') return { ignore: `the bundle is ${state.status} already`, reply }
      const deadline_at = laterBy(at, deadlines.bundleStepMs)
      const booking = { booking_id, bundle_id: id, show_id, number_of_tickets, customer_email }
      return {
        events: [
          { type: 'VipBundleInitialized_v1', vip_bundle_id: id },
          { type: 'BundleRequested_v1', ...order, booking_id, at, deadline_at },
        ],
        then: [{ send: 'booking', id: booking_id, command: { type: 'BookShowTickets', ...booking } }],
        reply,
      }
    },

    CancelVipBundle(state, _, context) {
      const { id } = context
      if (state.status === 'unknown') return { refuse: 'unknown-vip-bundle', reason: `there is no VIP bundle ${id}` }
      if (state.status === 'succeeded') {
        return { refuse: 'vip-bundle-succeeded', reason: `VIP bundle ${id} has come to its good end` }
      }
      const reply = { ok: { vip_bundle_id: id } }
      if (isRollingBack(state)) return { ignore: 'it is being undone, or is', reply }
      return { ...rollBack(state, 'it was canceled by an operator', context), reply }
    },

    DeadlinePassed(state, _, context) {
      if (!('deadline_at' in state)) return { ignore: `a bundle that is ${state.status} has no deadline` }
      if (context.at < state.deadline_at) return { ignore: `it has time until ${state.deadline_at}` }
      if (state.status === 'awaiting-outcome') return undoNext(state, context)
      return rollBack(state, `${state.status} took too long`, context)
    },

    BookingMade(state, { booking_id }, context) {
      if (state.status !== 'booking' || booking_id !== state.booking_id) return { ignore: notWaited }
      return order('inbound-flight', state, context)
    },

    TicketsConfirmed(state, { booking_id }, context) {
      if (!isUnderWay(state) || booking_id !== state.booking_id) return { ignore: notWaited }
      const confirmed: BundleEvent = { type: 'TicketsConfirmed_v1' }
      if (state.are_tickets_confirmed) return { ignore: notWaited }
      return state.status === 'confirmations' ? after([confirmed], finish(true, context)) : { events: [confirmed] }
    },

    BookingBroken(state, { booking_id, reason }, context) {
      if (!isUnderWay(state) || booking_id !== state.booking_id) return { ignore: notWaited }
      return rollBack(state, reason, context)
    },

    BookingSettled(state, { booking_id }, context) {
      if (!isOpen(state) || booking_id !== state.booking_id || state.is_booking_settled) return { ignore: notWaited }
      const settled: BundleEvent = { type: 'BookingSettled_v1' }
      if (state.status !== 'undoing-booking') return { events: [settled] }
      return after([settled], undoNext({ ...state, is_booking_settled: true }, context))
    },

    FlightBooked(state, { leg, flight_ticket_ids }, context) {
      if (!isAsked(state, `${leg}-flight`)) return { ignore: notWaited }
      const flight = { flight_id: state[`${leg}_flight_id`], flight_tickets_ids: flight_ticket_ids }
      const news: BundleEvent = { type: 'FlightBooked_v1', ...flight, reference_id: context.id }
      return booked(state, `${leg}-flight`, flight_ticket_ids, news, context)
    },

    FlightRefused(state, { leg, reason }, context) {
      if (!isAsked(state, `${leg}-flight`)) return { ignore: notWaited }
      const flight = { flight_id: state[`${leg}_flight_id`], failure_reason: reason }
      const news: BundleEvent = { type: 'FlightBookingFailed_v1', ...flight, reference_id: context.id }
      return refused(state, `${leg}-flight`, reason, news, context)
    },

    FlightTicketCanceled(state, { flight_ticket_id }, context) {
      return undone(state, ['return-flight', 'inbound-flight'], flight_ticket_id, context)
    },

    TaxiBooked(state, { taxi_booking_id }, context) {
      if (!isAsked(state, 'taxi')) return { ignore: notWaited }
      const news: BundleEvent = { type: 'TaxiBooked_v1', taxi_booking_id, reference_id: context.id }
      return booked(state, 'taxi', [taxi_booking_id], news, context)
    },

    TaxiRefused(state, { reason }, context) {
      if (!isAsked(state, 'taxi')) return { ignore: notWaited }
      const news: BundleEvent = { type: 'TaxiBookingFailed_v1', failure_reason: reason, reference_id: context.id }
      return refused(state, 'taxi', reason, news, context)
    },

    TaxiCanceled(state, { taxi_booking_id }, context) {
      return undone(state, ['taxi'], taxi_booking_id, context)
    },
  },

  evolve: {
    BundleRequested_v1: (_, { type, at, deadline_at, ...order }) => ({
      status: 'booking',
      ...order,
      are_tickets_confirmed: false,
      is_booking_settled: false,
      parts: { 'inbound-flight': nothingKnown, 'return-flight': nothingKnown, taxi: nothingKnown },
      steps: [{ name: 'booking', began_at: at, ended_at: null }],
      rollback_reason: null,
      deadline_at,
    }),
    BundleMoved_v1: (state, event) => (state.status === 'unknown' ? state : moveTo(state, event)),
    RollbackBegan_v1: (state, { reason }) => {
      return state.status === 'unknown' ? state : { ...state, rollback_reason: reason }
    },
    TicketsConfirmed_v1: (state) => (state.status === 'unknown' ? state : { ...state, are_tickets_confirmed: true }),
    BookingSettled_v1: (state) => (state.status === 'unknown' ? state : { ...state, is_booking_settled: true }),
    PartBooked_v1: (state, { part, ids }) => note(state, part, { outcome: 'booked', ids }),
    PartRefused_v1: (state, { part }) => note(state, part, { outcome: 'refused' }),
    PartUndone_v1: (state, { part, id }) => noteUndone(state, part, id),
    VipBundleInitialized_v1: (state) => state,
    VipBundleFinalized_v1: (state) => state,
    FlightBooked_v1: (state) => state,
    FlightBookingFailed_v1: (state) => state,
    TaxiBooked_v1: (state) => state,
    TaxiBookingFailed_v1: (state) => state,
  },

  alarm(state) {
    return 'deadline_at' in state ? { at: state.deadline_at, command: { type: 'DeadlinePassed' } } : undefined
  },

  hasEnded: (state) => !isOpen(state),
}

const notWaited = 'that is known, or not waited for'

const isOpen = (state: BundleState): state is Process =>
  state.status !== 'unknown' && state.status !== 'succeeded' && state.status !== 'failed'

const isRollingBack = (state: Process): boolean => state.rollback_reason !== null

/** On its way to a good end. */
const isUnderWay = (state: BundleState): state is Process => isOpen(state) && !isRollingBack(state)

/** A part is there: on with the next, or undone with the others. */
function booked(state: Process, part: Part, ids: string[], news: BundleEvent, context: Context): Accepted {
  const facts: BundleEvent[] = [news, { type: 'PartBooked_v1', part, ids }]
  const now = note(state, part, { outcome: 'booked', ids }) as Process
  if (state.status === part) return after(facts, goOn(part, now, context))
  // While another part is being undone, its turn comes next.
  if (state.status === 'awaiting-outcome' || state.status === 'undoing-booking') {
    return after(facts, undoNext(now, context))
  }
  return { events: facts, then: state.status === 'failed' ? undo(now, part) : [] }
}

function refused(state: Process, part: Part, reason: string, news: BundleEvent, context: Context): Accepted {
  const facts: BundleEvent[] = [news, { type: 'PartRefused_v1', part }]
  const now = note(state, part, { outcome: 'refused' }) as Process
  if (state.status === part) return after(facts, rollBack(now, reason, context))
  return state.status === 'awaiting-outcome' ? after(facts, undoNext(now, context)) : { events: facts }
}

function undone(state: BundleState, among: Part[], id: string, context: Context): Decision<BundleEvent> {
  if (state.status === 'unknown') return { ignore: notWaited }
  const part = among.find((one) => isBeingUndone(state, one) && leftOf(state, one).includes(id))
  if (part === undefined) return { ignore: notWaited }
  const facts: BundleEvent[] = [{ type: 'PartUndone_v1', part, id }]
  const now = noteUndone(state, part, id) as Process
  const isDone = state.status === `undoing-${part}` && leftOf(now, part).length === 0
  return isDone ? after(facts, undoNext(now, context)) : { events: facts }
}

function goOn(part: Part, state: Process, context: Context): Accepted {
  const next = parts[parts.indexOf(part) + 1]
  if (next) return order(next, state, context)
  return state.are_tickets_confirmed ? finish(true, context) : { events: [moved('confirmations', context)] }
}

function order(part: Part, state: Process, context: Context): Accepted {
  return { events: [timed(part, context)], then: [orderOf(part, state, context.id)] }
}

/** A part whose call is under way is waited for: it may be booked already. */
function rollBack(state: Process, reason: string, context: Context): Accepted {
  const facts: BundleEvent[] = [{ type: 'RollbackBegan_v1', reason }]
  const isUnknown = parts.some((part) => part === state.status && state.parts[part].outcome === 'unknown')
  return isUnknown
    ? { events: [...facts, timed('awaiting-outcome', context)], then: [] }
    : after(facts, undoNext(state, context))
}

/** What was done last is undone first; the booking comes last, and the end when there is nothing left. */
function undoNext(state: Process, context: Context): Accepted {
  const part = parts.findLast((one) => leftOf(state, one).length > 0)
  if (part) return { events: [moved(`undoing-${part}`, context)], then: undo(state, part) }
  if (state.is_booking_settled) return finish(false, context)
  const command = { type: 'CancelBooking' as const, bundle_id: context.id }
  return { events: [moved('undoing-booking', context)], then: [{ send: 'booking', id: state.booking_id, command }] }
}

function finish(success: boolean, context: Context): Accepted {
  const finalized: BundleEvent = { type: 'VipBundleFinalized_v1', vip_bundle_id: context.id, success }
  return { events: [finalized, moved(success ? 'succeeded' : 'failed', context)], then: [] }
}

const after = (facts: BundleEvent[], { events, then = [] }: Accepted): Accepted => ({
  events: [...facts, ...events],
  then,
})

const moved = (to: Moved['to'], { at }: Context): Moved => ({ type: 'BundleMoved_v1', to, at })

const timed = (to: Moved['to'], context: Context): Moved => ({
  ...moved(to, context),
  deadline_at: laterBy(context.at, context.deadlines.bundleStepMs),
})

/** The step under way ends when the next begins. */
function moveTo(state: Process, { to, at, deadline_at }: Moved): BundleState {
  const { deadline_at: _, ...rest } = state as Process & { deadline_at?: string }
  const steps: Process['steps'] = state.steps.map((step) => ({ ...step, ended_at: step.ended_at ?? at }))
  if (to !== 'succeeded' && to !== 'failed') steps.push({ name: to, began_at: at, ended_at: null })
  return { ...rest, status: to, steps, ...(deadline_at !== undefined && { deadline_at }) } as BundleState
}

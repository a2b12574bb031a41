import {
  type ShowCommand,
  type ShowEvent,
  type ShowState,
  showCommands,
  showEvents,
  showState,
} from '../schemas/show.ts'
import type { Actor } from '../src/actor/actor.ts'

/**
 * A show sells its seats: it counts how many are reserved and never lets that exceed its capacity. It knows bookings by
 * name only when it answers them; who holds what is theirs to know, so a show stays as small as two numbers.
 */
export const show: Actor<ShowState, ShowCommand, ShowEvent> = {
  kind: 'show',
  schemas: { state: showState, messages: showCommands, events: showEvents },
  initial: { status: 'unknown' },

  decide: {
    CreateShow(state, { type: _, ...details }, { id }) {
      if (state.status === 'on-sale') return { ignore: 'the show is on sale already', reply: { ok: { show_id: id } } }
      return { events: [{ type: 'ShowCreated_v1', ...details }], reply: { ok: { show_id: id } } }
    },

    ReserveSeats(state, { booking_id, number_of_tickets }, { id }) {
      if (state.status === 'unknown') return refuseSeats(id, booking_id, 'unknown-show', `there is no show ${id}`)
      const free = state.capacity - state.reserved
      if (number_of_tickets > free) {
        return refuseSeats(id, booking_id, 'sold-out', `${number_of_tickets} seats asked for, ${free} left`)
      }
      const { dead_nation_id } = state
      return {
        events: [{ type: 'SeatsReserved_v1', booking_id, number_of_tickets }],
        // biome-ignore format: an intent reads best on a line
        then: [{ send: 'booking', id: booking_id, command: { type: 'SeatsReserved', show_id: id, number_of_tickets, dead_nation_id } }],
      }
    },

    ReleaseSeats(state, { booking_id, number_of_tickets }) {
      if (state.status === 'unknown')
        return { refuse: 'unknown-show', reason: 'a show that does not exist holds no seats' }
      if (number_of_tickets > state.reserved) {
        const reason = `${number_of_tickets} seats given back, but only ${state.reserved} are reserved`
        return { refuse: 'not-reserved', reason }
      }
      return { events: [{ type: 'SeatsReleased_v1', booking_id, number_of_tickets }] }
    },
  },

  evolve: {
    ShowCreated_v1: (_, { type, number_of_tickets, ...details }) => ({
      status: 'on-sale',
      ...details,
      capacity: number_of_tickets,
      reserved: 0,
    }),
    SeatsReserved_v1: (state, { number_of_tickets }) => reserve(state, number_of_tickets),
    SeatsReleased_v1: (state, { number_of_tickets }) => reserve(state, -number_of_tickets),
  },

  /** Seats may still come back afterwards: the counters are all that it takes. */
  hasEnded: (state, at) => state.status === 'unknown' || state.start_time < at,
}

function refuseSeats(show_id: string, booking_id: string, code: string, reason: string) {
  return {
    refuse: code,
    reason,
    then: [
      { send: 'booking' as const, id: booking_id, command: { type: 'SeatsRefused' as const, show_id, code, reason } },
    ],
  }
}

function reserve(state: ShowState, seats: number): ShowState {
  return state.status === 'on-sale' ? { ...state, reserved: state.reserved + seats } : state
}

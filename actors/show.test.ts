import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { ShowEvent, ShowState } from '../schemas/show.ts'
import { fold } from '../src/actor/turn.ts'
import { anyContext, given } from '../test/support/given.ts'
import { show } from './show.ts'

const showId = anyContext.id
const bookingId = '01900000-0000-7000-8000-000000000001'
const details = {
  dead_nation_id: '01900000-0000-7000-8000-0000000000dd',
  title: 'The Hounds of Love',
  venue: 'Lyceum',
  start_time: '2026-12-24T19:30:00.000Z',
}
const created: ShowEvent = { type: 'ShowCreated_v1', ...details, number_of_tickets: 10 }
const reserved = (seats: number): ShowEvent => {
  return { type: 'SeatsReserved_v1', booking_id: bookingId, number_of_tickets: seats }
}

describe('a show', () => {
  test('goes on sale with all its seats free', () => {
    const creation = given(show).when({ type: 'CreateShow', ...details, number_of_tickets: 10 })
    creation.then({ events: [created], reply: { ok: { show_id: showId } } })
    assert.deepEqual(creation.stateAfter, { status: 'on-sale', ...details, capacity: 10, reserved: 0 })
  })

  test('is created once: a second time changes nothing, and is answered', () => {
    const again = given(show, created, reserved(4)).when({ type: 'CreateShow', ...details, number_of_tickets: 99 })
    again.then({ ignore: 'the show is on sale already', reply: { ok: { show_id: showId } } })
  })

  test('reserves seats and tells the booking, with what it needs to order the tickets', () => {
    given(show, created)
      .when({ type: 'ReserveSeats', booking_id: bookingId, number_of_tickets: 3 })
      .then({
        events: [reserved(3)],
        then: [
          {
            send: 'booking',
            id: bookingId,
            command: {
              type: 'SeatsReserved',
              show_id: showId,
              number_of_tickets: 3,
              dead_nation_id: details.dead_nation_id,
            },
          },
        ],
      })
  })

  test('reserves the last seat', () => {
    const last = given(show, created, reserved(9)).when({
      type: 'ReserveSeats',
      booking_id: bookingId,
      number_of_tickets: 1,
    })
    assert.deepEqual(last.stateAfter, { status: 'on-sale', ...details, capacity: 10, reserved: 10 })
  })

  test('refuses more seats than are left, all of them, and tells the booking', () => {
    const reason = '3 seats asked for, 2 left'
    given(show, created, reserved(8))
      .when({ type: 'ReserveSeats', booking_id: bookingId, number_of_tickets: 3 })
      .then({
        refuse: 'sold-out',
        reason,
        then: [
          {
            send: 'booking',
            id: bookingId,
            command: { type: 'SeatsRefused', show_id: showId, code: 'sold-out', reason },
          },
        ],
      })
  })

  test('that does not exist refuses seats, and tells the booking', () => {
    const refusal = given(show).when({ type: 'ReserveSeats', booking_id: bookingId, number_of_tickets: 1 })
    refusal.thenRefused('unknown-show')
    assert.equal('then' in refusal.decision && refusal.decision.then?.length, 1)
  })

  test('takes seats back, and never more than are reserved', () => {
    const holding = given(show, created, reserved(4))
    const release = { type: 'ReleaseSeats', booking_id: bookingId } as const
    const back = holding.when({ ...release, number_of_tickets: 4 })
    back.then({ events: [{ type: 'SeatsReleased_v1', booking_id: bookingId, number_of_tickets: 4 }] })
    assert.equal((back.stateAfter as Extract<ShowState, { status: 'on-sale' }>).reserved, 0)
    holding.when({ ...release, number_of_tickets: 5 }).thenRefused('not-reserved')
    given(show)
      .when({ ...release, number_of_tickets: 1 })
      .thenRefused('unknown-show')
  })
})

describe('whatever a show is told', () => {
  const seats = fc.integer({ min: 1, max: 12 })
  const command = fc.oneof(
    seats.map((number_of_tickets) => ({ type: 'ReserveSeats' as const, booking_id: bookingId, number_of_tickets })),
    seats.map((number_of_tickets) => ({ type: 'ReleaseSeats' as const, booking_id: bookingId, number_of_tickets })),
    seats.map((number_of_tickets) => ({ type: 'CreateShow' as const, ...details, number_of_tickets })),
  )

  test('it never reserves more than it has nor less than nothing, and its count is exact', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const history: ShowEvent[] = []
        let granted = 0
        for (const message of commands) {
          const { decision } = given(show, ...history).when(message)
          if (!('events' in decision)) continue
          history.push(...decision.events)
          if (message.type === 'ReserveSeats') granted += message.number_of_tickets
          if (message.type === 'ReleaseSeats') granted -= message.number_of_tickets
          const state = fold(show, show.initial, history) as ShowState
          assert.ok(state.status === 'on-sale')
          assert.ok(state.reserved >= 0 && state.reserved <= state.capacity)
          assert.equal(state.reserved, granted)
        }
      }),
    )
  })

  test('an all-or-none request is refused only when it does not fit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 }), seats, (taken, wanted) => {
        const history = taken > 0 ? [created, reserved(taken)] : [created]
        const { decision } = given(show, ...history).when({
          type: 'ReserveSeats',
          booking_id: bookingId,
          number_of_tickets: wanted,
        })
        assert.equal('events' in decision, taken + wanted <= 10)
      }),
    )
  })
})

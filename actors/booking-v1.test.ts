import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { Tagged } from '../src/actor/actor.ts'
import { fold, restore } from '../src/actor/turn.ts'
import { booking } from './booking.ts'
import { seatsHeld } from './seats.ts'

/** Journals and states as they were recorded when bookings had no deadline: events of one booking, and what they led to. */
type Recorded = { story: string; events: Tagged[]; state: { status: string; [field: string]: unknown } }

const file = new URL('../test/journals/booking-v1.json', import.meta.url)
const recorded = JSON.parse(readFileSync(file, 'utf8')) as Recorded[]
const deadline_at = '2026-01-02T03:19:01.000Z'

describe('a booking from before there were deadlines', () => {
  test('was requested by an event that is no longer written', () => {
    assert.ok(recorded.length > 0)
    for (const { events } of recorded) assert.equal(events[0]?.type, 'BookingRequested_v1')
    assert.ok(!('BookingRequested_v1' in booking.schemas.events))
  })

  for (const { story, events, state } of recorded) {
    test(`${story}: its journal leads to what it was, with a deadline`, () => {
      const folded = fold(booking, booking.initial, events)
      const more = { deadline_at, ...(state.status === 'canceled' && { awaits_tickets: true }) }
      assert.deepEqual(folded, { ...state, ...more })
    })

    test(`${story}: its stored state becomes what its journal leads to`, () => {
      const restored = restore(booking, state)
      const folded = fold(booking, booking.initial, events)
      assert.deepEqual(restored, folded)
      assert.deepEqual(restore(booking, restored), folded)
      assert.equal(seatsHeld(restored as never), seatsHeld(state as never))
    })
  }

  test('or a state that nobody understands, stays as it is', () => {
    for (const state of [null, 1, { status: 'new' }, { status: 'made', more: 1 }]) {
      assert.equal(restore(booking, state), state)
    }
  })
})

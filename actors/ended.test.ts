import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readJournal, recordedJournals } from '../ops/record-journal/file.ts'
import type { Kind } from '../schemas/index.ts'
import { hasEnded } from '../src/actor/turn.ts'
import { actors } from './index.ts'

const at = '2030-01-01T00:00:00.000Z'
const id = '01900000-0000-7000-8000-00000000000a'
const show = {
  ...{ status: 'on-sale', dead_nation_id: id, title: 'The Hounds of Love', venue: 'Lyceum', capacity: 9, reserved: 1 },
}
const asked = {
  ...{ show_id: id, number_of_tickets: 2, customer_email: 'kate@example.com', requested_at: at, deadline_at: at },
}
const ticket = {
  ...{ booking_id: id, customer_email: 'kate@example.com', price: { amount: '5', currency: 'EUR' } },
  ...{ receipt: { number: '1', issued_at: at }, file_name: 'a', rows: ['tickets-to-print'] },
}
const other = id.replace(/a$/, 'b')

/** What an actor may come to be, and whether that is its end. */
const cases: [Kind, boolean, object][] = [
  ['show', true, { status: 'unknown' }],
  ['show', true, { ...show, start_time: '2029-12-31T20:00:00.000Z' }],
  ['show', false, { ...show, start_time: '2030-01-01T20:00:00.000Z' }],
  ['booking', true, { status: 'withdrawn', bundle_id: id }],
  ['booking', false, { status: 'reserving', ...asked }],
  ['booking', false, { status: 'made', ...asked, tickets_ordered: true, tickets: { [id]: 'confirmed' } }],
  ['booking', false, { status: 'made', ...asked, tickets_ordered: false, tickets: { [id]: 'gone', [other]: 'gone' } }],
  [
    'booking',
    true,
    { status: 'made', ...asked, tickets_ordered: true, tickets: { [id]: 'confirmed', [other]: 'gone' } },
  ],
  ['booking', true, { status: 'failed', ...asked, failure_reason: 'sold out', tickets: {} }],
  ['booking', false, { status: 'failed', ...asked, failure_reason: 'late', tickets: { [id]: 'confirmed' } }],
  ['booking', false, { status: 'canceled', ...asked, awaits_tickets: true, tickets: { [id]: 'gone' } }],
  ['booking', true, { status: 'canceled', ...asked, awaits_tickets: false, tickets: { [id]: 'gone' } }],
  ['ticket', true, { status: 'confirmed', ...ticket }],
  ['ticket', false, { status: 'confirmed', ...ticket, receipt: null }],
  ['ticket', false, { status: 'confirmed', ...ticket, file_name: null }],
  ['ticket', false, { status: 'confirmed', ...ticket, rows: [] }],
  ['ticket', false, { status: 'canceled', ...ticket }],
  ['ticket', true, { status: 'canceled', ...ticket, rows: ['tickets-to-refund'] }],
  ['ticket', false, { status: 'refunding', ...ticket, is_receipt_voided: true }],
  ['ticket', true, { status: 'refunded', ...ticket }],
  ['ticket', false, { status: 'torn' }],
]

for (const [kind, isEnd, state] of cases)
  test(`${kind}: ${JSON.stringify(state).slice(0, 60)}… is ${isEnd ? 'an end' : 'none'}`, () => {
    assert.equal(hasEnded(actors[kind], state, at), isEnd)
  })

test('a VIP bundle has ended when it has succeeded or failed', () => {
  const { actors: recorded } = readJournal(recordedJournals().at(-1) ?? '')
  const bundles = recorded.filter(({ kind }) => kind === 'bundle')
  assert.ok(bundles.length > 0)
  for (const { state } of bundles) {
    const { status } = state as { status: string }
    assert.equal(hasEnded(actors.bundle, state, at), ['succeeded', 'failed'].includes(status), status)
  }
})

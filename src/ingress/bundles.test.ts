import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { bookingId, bundleId, bundleOrder } from '../../test/support/bundles.ts'
import type { FailingCall } from '../engine/ports.ts'
import { assertRefused } from './bad-input.fixtures.ts'
import { createHouse, openIngress, type TestHouse } from './house.fixtures.ts'
import type { Ingress } from './server.ts'

let house: TestHouse
let ingress: Ingress
beforeEach(async () => {
  house = createHouse()
  ingress = await openIngress(house)
})
afterEach(() => ingress.close())

/** Whatever is asked is answered so. */
const answer = (reply: { ok: object } | { refused: string; reason: string }) => {
  house.onSend = async ({ messageId: requestId, meta: { fingerprint } }) => {
    setImmediate(() => house.answer({ requestId, ...(fingerprint && { fingerprint }), reply: reply as never }))
    return { duplicate: false }
  }
}

const book = (body: object = bundleOrder) =>
  fetch(`${ingress.url}/book-vip-bundle`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': 'k' },
    body: JSON.stringify(body),
  })

describe('a VIP bundle', () => {
  test('is booked by one command, and answered with the ids of both', async () => {
    answer({ ok: { booking_id: bookingId, vip_bundle_id: bundleId } })
    const response = await book()
    assert.equal(response.status, 201)
    assert.deepEqual(await response.json(), { booking_id: bookingId, vip_bundle_id: bundleId })
    const [sent, ...others] = house.sent
    assert.deepEqual(others, [])
    assert.equal(sent?.address.kind, 'bundle')
    assert.deepEqual(sent?.command, { type: 'InitializeVipBundle', ...bundleOrder })
  })

  test('of fewer passengers than tickets names the field', async () => {
    await assertRefused(await book({ ...bundleOrder, passengers: ['Kate'] }), 400, 'invalid-request', 'passengers')
    assert.deepEqual(house.sent, [])
  })

  test('is stopped by one command', async () => {
    answer({ ok: { vip_bundle_id: bundleId } })
    const response = await fetch(`${ingress.url}/vip-bundles/${bundleId}/cancel`, { method: 'POST' })
    assert.equal(response.status, 202)
    assert.deepEqual(await response.json(), { vip_bundle_id: bundleId })
    assert.deepEqual(house.sent[0]?.address, { kind: 'bundle', id: bundleId })
    assert.deepEqual(house.sent[0]?.command, { type: 'CancelVipBundle' })
  })

  test('that does not exist, or is complete, is not stopped', async () => {
    for (const [code, status] of [
      ['unknown-vip-bundle', 404],
      ['vip-bundle-succeeded', 409],
    ] as const) {
      answer({ refused: code, reason: 'because' })
      const response = await fetch(`${ingress.url}/vip-bundles/${bundleId}/cancel`, { method: 'POST' })
      await assertRefused(response, status, code)
    }
  })
})

describe('a VIP bundle is shown', () => {
  const at = '2026-01-02T03:04:05.000Z'
  const part = { outcome: 'booked', ids: ['i1'], undone_ids: [] }
  const step = (name: string, ended_at: string | null = at) => ({ name, began_at: at, ended_at })
  const state = {
    status: 'undoing-return-flight',
    ...bundleOrder,
    booking_id: bookingId,
    are_tickets_confirmed: false,
    is_booking_settled: false,
    parts: {
      'inbound-flight': part,
      'return-flight': { ...part, ids: ['r1', 'r2'], undone_ids: ['r1'] },
      taxi: { outcome: 'unknown', ids: [], undone_ids: [] },
    },
    steps: [
      step('booking'),
      step('inbound-flight'),
      step('return-flight'),
      step('taxi'),
      step('awaiting-outcome'),
      step('undoing-return-flight', null),
    ],
    rollback_reason: 'taxi took too long',
  }
  const store = (state: unknown) =>
    house.actors.set(`bundle/${bundleId}`, { kind: 'bundle', id: bundleId, partition: 0, version: 1, state })
  const call = (request: FailingCall['request'], isDeadLetter = false): FailingCall => {
    return { service: 'transportation', request, attempts: 3, cause: '503: out of order', at, isDeadLetter }
  }
  const show = async () => {
    const response = await fetch(`${ingress.url}/vip-bundles/${bundleId}`)
    assert.equal(response.status, 200)
    return (await response.json()) as { steps: { name: string; failing_calls: { request: string }[] }[] }
  }

  test('with its steps, and what keeps failing in each', async () => {
    store(state)
    const taxi = { customer_email: 'k@example.com', customer_name: 'Kate', number_of_passengers: 2 }
    house.failingCalls = [
      call({ type: 'BookTaxi', ...taxi, reference_id: bundleId } as never),
      call({ type: 'CancelFlightTickets', flight_ticket_id: ['r2'] } as never, true),
    ]
    const seen = await show()
    const failing = (request: string, is_dead_letter: boolean) => {
      return { request, attempts: 3, last_error: '503: out of order', last_failed_at: at, is_dead_letter }
    }
    assert.deepEqual(
      seen.steps.map(({ failing_calls }) => failing_calls),
      [[], [], [], [failing('BookTaxi', false)], [], [failing('CancelFlightTickets', true)]],
    )
    const { is_booking_settled: _, ...shown } = { ...state, vip_bundle_id: bundleId, steps: seen.steps }
    assert.deepEqual(seen, shown)
    assert.deepEqual(
      seen.steps.map(({ failing_calls: _, ...step }) => step),
      state.steps,
    )
  })

  test('where what failed has no step of its own', async () => {
    store(state)
    house.failingCalls = [
      call({ type: 'CancelFlightTickets', flight_ticket_id: ['i1'] } as never),
      call({ type: 'CancelTaxi', taxi_booking_id: 't1' } as never),
      call({ type: 'nonsense' }, true),
    ]
    const { steps } = await show()
    const found = steps.flatMap(({ name, failing_calls }) => failing_calls.map(({ request }) => `${name} ${request}`))
    assert.deepEqual(found, ['inbound-flight CancelFlightTickets', 'taxi CancelTaxi', 'undoing-return-flight nonsense'])
  })

  test('as 404 when there is none', async () => {
    await assertRefused(await fetch(`${ingress.url}/vip-bundles/${bundleId}`), 404, 'unknown-vip-bundle')
  })

  test('as 503 when the database does not answer', async () => {
    store(state)
    house.reads.failingCalls = async () => {
      throw new Error('gone')
    }
    await assertRefused(await fetch(`${ingress.url}/vip-bundles/${bundleId}`), 503, 'unavailable')
  })
})

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { EffectFailure, Reads, Store } from '../engine/ports.ts'
import type { StoreHarness } from './store.features.ts'
import { letterOf } from './store.fixtures.ts'

/** What every store notes of calls that fail. */
export function failingCallsFeatures(name: string, open: () => Promise<StoreHarness>): void {
  describe(`${name}: calls that fail`, () => {
    let harness: StoreHarness
    let store: Store
    let reads: Reads
    beforeEach(async () => {
      harness = await open()
      store = harness.store
      reads = harness.reads
    })
    afterEach(() => harness.close())

    const id = randomUUID()
    const asker = { partition: 1, kind: 'bundle', id }
    const request = { type: 'CancelTaxi', taxi_booking_id: 'T-1' }
    const failureOf = (given: Partial<EffectFailure>): EffectFailure => {
      const effectId = randomUUID()
      return { ...asker, effectId, service: 'transportation', request, attempts: 1, cause: 'reset', ...given }
    }
    const seen = async (address = asker) => {
      const calls = await reads.failingCalls(address)
      return calls.map(({ at, ...call }) => {
        assert.equal(new Date(at).toISOString(), at)
        return call
      })
    }
    const { service } = failureOf({})
    const isDeadLetter = false

    it('are shown with their last failure, until they are forgotten', async () => {
      const failure = failureOf({})
      await store.noteFailure(failure)
      await store.noteFailure({ ...failure, attempts: 2, cause: '503' })
      await store.noteFailure(failureOf({ id: randomUUID() }))
      await store.noteFailure(failureOf({ kind: 'ticket' }))
      assert.deepEqual(await seen(), [{ service, request, attempts: 2, cause: '503', isDeadLetter }])
      assert.deepEqual((await reads.census()).failingCalls, [{ service, count: 3 }])
      await store.forgetFailure(failure)
      await store.forgetFailure(failure)
      assert.deepEqual(await seen(), [])
      assert.equal((await seen({ ...asker, kind: 'ticket' })).length, 1)
    })

    it('are shown when they are dead letters, of the actor that asked, whatever they hold', async () => {
      const { type, ...body } = request
      const letter = letterOf({
        partition: 1,
        kind: service,
        actorId: id,
        type,
        headers: { 'Actor-Kind': 'bundle' },
        payload: Buffer.from(JSON.stringify(body)),
      })
      await store.keepDeadLetter(letter)
      await store.keepDeadLetter({ ...letter, messageId: randomUUID(), headers: { 'Actor-Kind': 'ticket' } })
      await store.keepDeadLetter({ ...letter, messageId: randomUUID(), actorId: randomUUID() })
      const call = { service, request, attempts: 1, cause: letter.cause, isDeadLetter: true }
      assert.deepEqual(await seen(), [call])
      await store.keepDeadLetter({ ...letter, payload: Uint8Array.of(0, 255) })
      assert.deepEqual(await seen(), [{ ...call, request: { type }, attempts: 2 }])
    })
  })
}

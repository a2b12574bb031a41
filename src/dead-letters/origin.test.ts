import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LetterRecord } from '../store/dead-letter-records.ts'
import { originOf } from './origin.ts'

const letter: LetterRecord = {
  partition: 3,
  messageId: '019389c7-1f3a-7b08-8c66-2d94e5b1a703',
  revision: 4,
  kind: 'booking',
  actorId: '3f8a9c54-90a4-4e0d-8a3f-5a7f6b1c2d3e',
  type: 'SeatsReserved',
  code: 'turn-threw',
  cause: 'it threw',
  status: 'open',
  attempts: 1,
  at: '2030-01-02T00:00:00.000Z',
  firstAt: '2030-01-02T00:00:00.000Z',
  lastAt: '2030-01-02T00:00:00.000Z',
  payload: Uint8Array.of(123, 125),
  headers: {},
  meta: { correlationId: 'story' },
}
const { actorId: id, messageId, payload, meta } = letter

test('a command goes back to its actor', () => {
  const address = { kind: 'booking', id }
  assert.deepEqual(originOf(letter), {
    to: 'origin',
    address,
    type: 'SeatsReserved',
    payload,
    messageId,
    round: 4,
    meta,
  })
})

test('an effect goes back to its service, in the name of who asked', () => {
  const headers = { 'Actor-Kind': 'booking' }
  const effect = { ...letter, kind: 'dead-nation', type: 'BookTickets', code: 'effect-exhausted', headers }
  const { service, address } = originOf(effect) ?? {}
  assert.deepEqual({ service, address }, { service: 'dead-nation', address: { kind: 'booking', id } })
})

test('a command to an actor that is called like a service is still a command', () => {
  const { service, address } = originOf({ ...letter, kind: 'dead-nation', code: 'unknown-actor' }) ?? {}
  assert.deepEqual({ service, address }, { service: undefined, address: { kind: 'dead-nation', id } })
})

test('what had no whole subject cannot go back', () => {
  for (const part of ['kind', 'actorId', 'type']) assert.equal(originOf({ ...letter, [part]: '' }), undefined)
})

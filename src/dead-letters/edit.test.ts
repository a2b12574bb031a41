import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultOf } from './edit.ts'

const command = { kind: 'booking', type: 'BookShowTickets' }
const order = {
  show_id: '019389c7-1f3a-7b08-8c66-2d94e5b1a703',
  number_of_tickets: 2,
  customer_email: 'ada@example.org',
}
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))

test('a payload is held against the schema of its command, and the fault names the field', () => {
  assert.equal(faultOf(command, bytes(order)), undefined)
  assert.match(faultOf(command, bytes({ ...order, number_of_tickets: 0 })) ?? '', /number_of_tickets/)
})

test('so is the request of an effect', () => {
  assert.match(faultOf({ kind: 'dead-nation', type: 'BookTickets' }, bytes({})) ?? '', /booking_id/)
})

test('what nobody knows need only be an object', () => {
  for (const unknown of [
    { kind: 'opera', type: 'Sing' },
    { kind: 'booking', type: 'constructor' },
    { kind: '__proto__', type: 'toString' },
  ]) {
    assert.equal(faultOf(unknown, bytes({ any: 'thing' })), undefined)
    assert.match(faultOf(unknown, bytes([1])) ?? '', /not a JSON object/)
    assert.match(faultOf(unknown, Uint8Array.of(123, 255, 125)) ?? '', /UTF-8/)
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDeliveryInfo } from './delivery-info.ts'

const place = 'turnstile-mailbox.w7-3.1.1042.17.1763975554123456789.5'
const info = { delivered: 1, streamSequence: 1042, consumerSequence: 17, at: 1_763_975_554_123, pending: 5 }

test('reads what the server says of a delivery, in every form that servers use', () => {
  assert.deepEqual(parseDeliveryInfo(`$JS.ACK.${place}`), info)
  assert.deepEqual(parseDeliveryInfo(`$JS.ACK._.ACCOUNT1.${place}`), info)
  assert.deepEqual(parseDeliveryInfo(`$JS.ACK.hub.ACCOUNT1.${place}.r4nd0m`), info)
})

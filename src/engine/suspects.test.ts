import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyBatch } from './batch.ts'
import type { Delivery, Log } from './ports.ts'
import { Suspects } from './suspects.ts'
import { id, World } from './world.fixtures.ts'

test('what Postgres refused says nothing of another message that has its place in another life of the stream', async () => {
  const { store, clock } = new World()
  const log: Log = { debug() {}, info() {}, warn() {}, error() {} }
  const suspects = new Suspects({ store, clock, log })
  const refused: Delivery = {
    partition: 1,
    sequence: 7,
    to: { kind: 'show', id: id('show') },
    type: 'CreateShow',
    messageId: id('m1'),
    meta: { correlationId: 'story' },
    headers: {},
    payload: new Uint8Array(),
    at: 0,
  }
  await suspects.narrowDown(emptyBatch([refused], []), new Error('no'))
  assert.equal(suspects.faultOf(refused)?.code, 'commit-rejected')
  assert.equal(suspects.faultOf({ ...refused, messageId: id('m2') }), undefined)
})

import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { systemClock } from '../clock.ts'
import { AtOnce } from './at-once.ts'
import { Outbox } from './outbox.ts'
import { OwnedPartition } from './partition.ts'
import type { EffectDelivery, Hands, Outgoing, OutgoingEffect, Publisher, TurnRecord } from './ports.ts'
import { Signal } from './signal.ts'
import { noTracer } from './trace-ports.ts'
import { id } from './world.fixtures.ts'

const nowMs = 1_000_000
const silent = { debug() {}, info() {}, warn() {}, error() {} }
const request = { type: 'VoidReceipt', ticket_id: id('ticket'), reason: 'refund' }
const meta = { correlationId: 'story' }
const at = '2026-01-01T00:00:00.000Z'
const address = { kind: 'ticket', id: id('ticket') }
const effect: OutgoingEffect = { to: 'effects', address, messageId: id('e'), service: 'receipts', request, at, meta }

let published: Outgoing[]
/** Stores what was published. */
let store: () => void
let publisher: Publisher
let atOnce: AtOnce
beforeEach(() => {
  published = []
  publisher = {
    async publish(messages) {
      published.push(...messages)
      await new Promise<void>((resolve) => (store = resolve))
    },
    reply() {},
    announce() {},
  }
  atOnce = new AtOnce(publisher, () => nowMs, silent)
})

/** Hands that hold what they were given. */
function handsThatHold() {
  const held: EffectDelivery[] = []
  const hands: Hands = { areFree: () => held.length < 2, carryOut: async (effect) => void held.push(effect) }
  return { held, hands }
}

async function isSettled(promise: Promise<void> | undefined): Promise<boolean> {
  let settled = false
  void promise?.then(() => (settled = true))
  await new Promise(setImmediate)
  return settled
}

test('an effect goes straight to free hands, with all that the queue would have handed over', async () => {
  const { held, hands } = handsThatHold()
  atOnce.offer('receipts', hands)
  const taken = atOnce.take(effect)
  const [delivery] = held
  assert.ok(delivery)
  const { service, messageId, actor, type, attempt, mayBeRepeat, payload } = delivery
  assert.deepEqual(
    { service, messageId, actor, type, attempt, mayBeRepeat, meta: delivery.meta },
    {
      service: 'receipts',
      messageId: id('e'),
      actor: address,
      type: 'VoidReceipt',
      attempt: 1,
      mayBeRepeat: false,
      meta,
    },
  )
  assert.deepEqual(JSON.parse(Buffer.from(payload).toString()), { ticket_id: id('ticket'), reason: 'refund' })
  assert.equal(await isSettled(taken), false)
  await delivery.done()
  assert.equal(await isSettled(taken), true)
  assert.deepEqual(published, [])
})

test('it goes by the queue when no hand is free, when it may be a repeat, and when nobody is there', () => {
  assert.equal(atOnce.take(effect), undefined)
  const { hands } = handsThatHold()
  const takeBack = atOnce.offer('receipts', hands)
  assert.equal(atOnce.take({ ...effect, service: 'files' }), undefined)
  assert.equal(atOnce.take({ ...effect, mayBeRepeat: true }), undefined)
  assert.ok(atOnce.take(effect))
  assert.ok(atOnce.take(effect))
  assert.equal(atOnce.take(effect), undefined)
  takeBack()
  assert.equal(atOnce.take(effect), undefined)
})

test('what failed goes into the queue for its next attempt, and is told when it is there', async () => {
  const { held, hands } = handsThatHold()
  atOnce.offer('receipts', hands)
  const taken = atOnce.take(effect)
  held[0]?.retry(200)
  assert.deepEqual(published, [{ ...effect, mayBeRepeat: true, nextAttemptMs: nowMs + 200 }])
  assert.equal(await isSettled(taken), false)
  store()
  assert.equal(await isSettled(taken), true)
})

test('what was not handled goes into the queue too', async () => {
  atOnce.offer('receipts', { areFree: () => true, carryOut: () => Promise.reject(new Error('gone')) })
  const taken = atOnce.take(effect)
  assert.equal(await isSettled(taken), false)
  assert.equal(published.length, 1)
  store()
  assert.equal(await isSettled(taken), true)
})

test('a turn is told when its effects are done, and holds up nothing that the engine waits for', async () => {
  const { held, hands } = handsThatHold()
  atOnce.offer('receipts', hands)
  const outbox = new Outbox({ publisher, atOnce, store: noStore, clock: systemClock, tracer: noTracer }, new Signal())
  const row = { id: 1, epoch: 1, owner: 'one', cursor: 0, stream: 's', head: 0, published: 0, armed: 0 }
  const partition = new OwnedPartition(row)
  outbox.tell([turnWith(effect)], [[partition, 1]])
  assert.equal(held.length, 1)
  assert.equal(outbox.pendingMessages, 0)
  await new Promise(setImmediate)
  assert.deepEqual([partition.published, outbox.isDoneFor(partition)], [0, false])
  await held[0]?.done()
  await new Promise(setImmediate)
  assert.deepEqual([partition.published, outbox.isDoneFor(partition)], [1, true])
})

const noStore = { readJournal: async () => [], findTurns: async () => [] }

function turnWith({ messageId, service: call, request }: OutgoingEffect): TurnRecord {
  const { kind, id: actorId } = address
  const message = { type: 'RefundTicket' }
  const decision = { outcome: 'accepted' as const, calls: [{ messageId, call, request }] }
  return { partition: 1, position: 1, kind, actorId, version: 1, messageId: id('m'), at, message, meta, decision }
}

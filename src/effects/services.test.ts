import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { describe, test } from 'node:test'
import { until } from '../../test/support/wait.ts'
import { MemoryBroker } from '../broker/memory.ts'
import type { Hands } from '../engine/ports.ts'
import { noTracer } from '../engine/trace-ports.ts'
import { aDelivery, aWorker, silent, startServer, ticketId } from './effects.fixtures.ts'
import { startEffects } from './index.ts'
import { payments } from './payments.ts'

/** All services together, on a queue in memory. */

type Requests = { service: 'payments' | 'receipts'; count: number }

async function startWorld(
  t: { after(stop: () => unknown): void },
  respond: (line: string, response: ServerResponse) => void,
  callsPerSecond = 10_000,
) {
  const { calls, gateway } = await startServer(t, ({ line }, response) => respond(line, response))
  const timers = new Set<NodeJS.Timeout>()
  const schedule = (delayMs: number, task: () => void) => void timers.add(setTimeout(task, delayMs))
  const broker = new MemoryBroker({ prefix: 'test', partitions: 64, nowMs: Date.now, schedule }).connect()
  const { settings, told, letters } = aWorker(payments, gateway)
  const offered = new Map<string, Hands>()
  const effects = await startEffects({
    config: { GATEWAY_ADDR: gateway, TURNSTILE_PARTITIONS: 64, TURNSTILE_CALLS_PER_SECOND: callsPerSecond },
    effects: broker.effects,
    publisher: settings.publisher,
    offer(service, hands) {
      offered.set(service, hands)
      return () => void offered.delete(service)
    },
    deliver: settings.deliver,
    store: { ...settings.deadLetters, ...settings.failures, readPauses: async () => [] },
    clock: settings.clock,
    callHttp: settings.callHttp,
    random: settings.random,
    log: silent,
    tracer: noTracer,
    observer: { ...settings.observer, paused() {}, circuit() {} },
  })
  t.after(async () => {
    for (const timer of timers) clearTimeout(timer)
    await effects.close()
  })
  const ask = ({ service, count }: Requests) =>
    broker.publisher.publish(
      Array.from({ length: count }, () => ({
        to: 'effects',
        address: { kind: 'ticket', id: ticketId },
        messageId: randomUUID(),
        service,
        request:
          service === 'payments'
            ? { type: 'RefundPayment', payment_reference: ticketId, reason: 'refund' }
            : { type: 'VoidReceipt', ticket_id: ticketId, reason: 'refund' },
        at: new Date().toISOString(),
        meta: { correlationId: 'story' },
      })),
    )
  const toldOf = (type: string) => told.filter((command) => command.type === type).length
  const handsOf = (service: string) => offered.get(service) as Hands
  return { calls, ask, toldOf, letters, handsOf, close: () => effects.close() }
}

describe('a service on its own', () => {
  test('that hangs has only so many calls under way, and holds up nobody else', async (t) => {
    const hanging: ServerResponse[] = []
    const { ask, toldOf } = await startWorld(t, (line, response) => {
      if (line.includes('receipts-api')) hanging.push(response)
      else response.end()
    })
    await ask({ service: 'receipts', count: 100 })
    await until('the hands are full', () => hanging.length === 32)
    const startedMs = performance.now()
    await ask({ service: 'payments', count: 200 })
    await until('the refunds are made', () => toldOf('PaymentRefunded') === 200)
    // What hangs does so for 10 s.
    assert.ok(performance.now() - startedMs < 8_000, `${performance.now() - startedMs} ms`)
    assert.equal(hanging.length, 32)
    assert.equal(toldOf('ReceiptVoided'), 0)

    let ended = 0
    await until('the others follow', () => {
      for (const response of hanging.slice(ended)) response.end()
      ended = hanging.length
      return toldOf('ReceiptVoided') === 100
    })
  })

  test('that is out of order is left alone, and costs those who wait no attempts', async (t) => {
    let isOut = true
    const { calls, ask, toldOf, letters } = await startWorld(t, (_, response) => {
      response.writeHead(isOut ? 503 : 200).end()
    })
    await ask({ service: 'payments', count: 300 })
    await until('the circuit is open', () => calls.length >= 5)
    // Longer than it takes until a call tries again.
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    // Those under way and the four failures before the fifth, then a single call at a time.
    assert.ok(calls.length <= 32 + 4 + 2, `${calls.length} calls`)
    isOut = false
    await until('all is done', () => toldOf('PaymentRefunded') === 300)
    assert.ok(calls.length <= 300 + 32 + 4 + 4, `${calls.length} calls`)
    assert.deepEqual(letters, [])
  })

  test('gets no more calls a second than the setting says', async (t) => {
    const { ask, toldOf } = await startWorld(t, (_, response) => response.end(), 100)
    const startedMs = performance.now()
    await ask({ service: 'payments', count: 60 })
    await until('all is done', () => toldOf('PaymentRefunded') === 60)
    assert.ok(performance.now() - startedMs >= 450, `${performance.now() - startedMs} ms`)
  })
})

describe('an effect past the queue', () => {
  const refund = { type: 'RefundPayment', payment_reference: ticketId, reason: 'refund' }

  test('is carried out, and done when its outcome is told', async (t) => {
    const { calls, toldOf, handsOf } = await startWorld(t, (_, response) => response.end())
    const { effect, became } = aDelivery('payments', refund, { request: refund, payload: Buffer.from('not read') })
    assert.equal(handsOf('payments').areFree('RefundPayment'), true)
    await handsOf('payments').carryOut(effect)
    assert.deepEqual([calls.length, toldOf('PaymentRefunded'), became.done], [1, 1, 1])
  })

  test('has a key: a row of a sheet goes by the queue, which hands it to one process at a time', async (t) => {
    const { handsOf } = await startWorld(t, (_, response) => response.end())
    assert.equal(handsOf('spreadsheets').areFree('AppendRow'), false)
  })

  test('that fails comes back later; no other is taken once the service is out of order', async (t) => {
    const { handsOf } = await startWorld(t, (_, response) => response.writeHead(503).end())
    const hands = handsOf('payments')
    for (let failures = 0; failures < 5; failures++) {
      assert.equal(hands.areFree('RefundPayment'), true)
      const { effect, became } = aDelivery('payments', refund)
      await hands.carryOut(effect)
      assert.deepEqual([became.done, became.retries.length, became.retries[0] !== 0], [0, 1, true])
    }
    assert.equal(hands.areFree('RefundPayment'), false)
    const { effect, became } = aDelivery('payments', refund)
    await hands.carryOut(effect)
    assert.deepEqual(became, { done: 0, retries: [0] })
  })

  test('is not taken while one before it takes long', async (t) => {
    let answer = (): void => {}
    const { handsOf } = await startWorld(t, (_, response) => (answer = () => void response.end()))
    const hands = handsOf('payments')
    const taken = hands.carryOut(aDelivery('payments', refund).effect)
    assert.equal(hands.areFree('RefundPayment'), true)
    await until('it has taken too long', () => !hands.areFree('RefundPayment'))
    answer()
    await taken
    assert.equal(hands.areFree('RefundPayment'), true)
  })

  test('is not taken when there are as many as can be called in a second, nor after the end', async (t) => {
    const hanging: ServerResponse[] = []
    const { handsOf, close } = await startWorld(t, (_, response) => void hanging.push(response), 3)
    const hands = handsOf('payments')
    const taken = [1, 2, 3].map(() => hands.carryOut(aDelivery('payments', refund, { messageId: randomUUID() }).effect))
    assert.equal(hands.areFree('RefundPayment'), false)
    await until('the first is called', () => hanging.length > 0)
    const closing = close()
    assert.equal(handsOf('payments'), undefined)
    for (const response of hanging) response.end()
    await Promise.all([...taken, closing])
  })
})

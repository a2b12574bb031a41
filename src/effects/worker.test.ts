import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, beforeEach, describe, test } from 'node:test'
import { services } from '../../schemas/index.ts'
import { deriveId, partitionOf } from '../actor/ids.ts'
import { systemClock } from '../clock.ts'
import type { DeadLetter, EffectDelivery, EffectFailure, Outgoing } from '../engine/ports.ts'
import { noTracer } from '../engine/trace-ports.ts'
import { tracerForTests } from '../telemetry/tracer.fixtures.ts'
import { maxAttempts } from './backoff.ts'
import { deadNation } from './dead-nation.ts'
import { callHttp } from './http.ts'
import { InHand } from './in-hand.ts'
import { InTurn } from './in-turn.ts'
import { startEffects } from './index.ts'
import { carryOut, type EffectSettings } from './worker.ts'

/** The worker against a service that says what the test wants. */

const bookingId = '019389c7-1f3a-7b08-8c66-2d94e5b1a703'
const effectId = '019389c7-1f3a-7b08-8c66-00000000000f'
const request = {
  booking_id: bookingId,
  customer_address: 'ada@example.org',
  event_id: '3f8a9c54-90a4-4e0d-8a3f-5a7f6b1c2d3e',
  number_of_tickets: 2,
}
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const meta = { correlationId: 'story', causationId: 'turn', traceparent }

let server: Server
let gateway: string
let answer: (request: IncomingMessage, response: ServerResponse) => void
const calls: { url: string; method: string; headers: IncomingMessage['headers']; body: string }[] = []
/** In the order in which they happened. */
const happened: string[] = []
const published: Outgoing[] = []
const letters: DeadLetter[] = []
const notes = new Map<string, EffectFailure>()
let retryMs: number | undefined

before(async () => {
  server = createServer(async (request, response) => {
    const { url = '', method = '', headers } = request
    calls.push({ url, method, headers, body: await text(request) })
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  gateway = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
after(() => {
  server.close()
  server.closeAllConnections()
})
beforeEach(() => {
  for (const list of [calls, happened, published, letters]) list.length = 0
  notes.clear()
  retryMs = undefined
  answerWith(200, { booking_id: bookingId })
})

function answerWith(status: number, body: unknown, headers: Record<string, string> = {}): void {
  answer = (_, response) => {
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body))
  }
}

const silent = { debug() {}, info() {}, warn() {}, error() {} }

const settings = (): EffectSettings => ({
  adapter: deadNation,
  gate: { pass: (call) => call() },
  inHand: new InHand(systemClock),
  inTurn: new InTurn(),
  gateway,
  partitions: 64,
  random: () => 1,
  timeoutMs: 200,
  log: silent,
  tracer: noTracer,
  clock: systemClock,
  callHttp,
  observer: { deadLetter: (kind, code) => happened.push(`counted ${kind} ${code}`), called() {} },
  deadLetters: {
    async keepDeadLetter(letter) {
      letters.push(letter)
      happened.push('kept')
    },
  },
  failures: {
    async noteFailure(failure) {
      notes.set(failure.effectId, failure)
    },
    async forgetFailure({ effectId }) {
      notes.delete(effectId)
    },
  },
  publisher: { announce: () => happened.push('announced') },
  async deliver(command) {
    published.push(command)
    happened.push('published')
  },
})

const effect = (changes: Partial<EffectDelivery> = {}): EffectDelivery => ({
  service: 'dead-nation',
  messageId: effectId,
  actor: { kind: 'booking', id: bookingId },
  mayBeRepeat: false,
  type: 'BookTickets',
  payload: Buffer.from(JSON.stringify(request)),
  headers: { h: '1' },
  meta,
  attempt: 1,
  async done() {
    happened.push('done')
  },
  retry(delayMs) {
    retryMs = delayMs
    happened.push('retried')
  },
  working() {},
  ...changes,
})

test('the call is what the contract says, with the names that it is traced by', async () => {
  await carryOut(effect(), settings())
  const [call] = calls
  assert.equal(`${call?.method} ${call?.url}`, 'POST /dead-nation-api/ticket/booking')
  assert.deepEqual(JSON.parse(call?.body ?? ''), request)
  assert.equal(call?.headers['idempotency-key'], effectId)
  assert.equal(call?.headers['correlation-id'], 'story')
  assert.equal(call?.headers.traceparent, traceparent)
  assert.equal(call?.headers['causation-id'], effectId)
})

test('in a trace the call is below the attempt, and so is what the actor is told', async () => {
  const { tracer, seen } = tracerForTests()
  answerWith(503, {})
  await carryOut(effect(), { ...settings(), tracer })
  answerWith(200, { booking_id: bookingId })
  await carryOut(effect({ attempt: 2 }), { ...settings(), tracer })
  const spans = seen()
  assert.deepEqual(
    spans.map(({ name, isError }) => [name, isError]),
    [
      ['POST', true],
      ['effect dead-nation.BookTickets', true],
      ['POST', false],
      ['effect dead-nation.BookTickets', false],
    ],
  )
  const [firstCall, first, call, second] = spans
  assert.deepEqual([first?.parent, second?.parent], [traceparent, traceparent])
  assert.deepEqual([firstCall?.parent, call?.parent], [first?.traceparent, second?.traceparent])
  assert.deepEqual(
    calls.map(({ headers }) => headers.traceparent),
    [firstCall?.traceparent, call?.traceparent],
  )
  assert.equal(published[0]?.meta.traceparent, second?.traceparent)
})

test('done: the actor is told, and only then the effect is off the queue', async () => {
  await carryOut(effect(), settings())
  assert.deepEqual(happened, ['published', 'done'])
  assert.deepEqual(published, [
    {
      to: 'mailbox',
      address: { kind: 'booking', id: bookingId },
      messageId: deriveId(effectId, 'outcome'),
      command: { type: 'DeadNationAccepted' },
      meta: { ...meta, causationId: effectId },
    },
  ])
})

for (const status of [400, 409]) {
  test(`${status} is a final no, in the service's own words`, async () => {
    answerWith(status, { error: 'no such\nevent\0' })
    await carryOut(effect(), settings())
    assert.deepEqual(happened, ['published', 'done'])
    assert.deepEqual(
      published.map((message) => 'command' in message && message.command),
      [{ type: 'DeadNationRefused', reason: 'no such event' }],
    )
  })
}

test('a no without words still has a reason', async () => {
  answerWith(409, '')
  await carryOut(effect(), settings())
  assert.deepEqual(
    published.map((message) => 'command' in message && message.command),
    [{ type: 'DeadNationRefused', reason: 'it answered 409' }],
  )
})

describe('unknown or temporary', () => {
  const answers: Record<string, () => void> = {
    ...Object.fromEntries(
      [201, 204, 301, 401, 404, 408, 425, 429, 500, 503].map((status) => [status, () => answerWith(status, '')]),
    ),
    'a body that is not JSON': () => answerWith(200, 'ok'),
    'a body that is not what it should be': () => answerWith(200, { id: 1 }),
    'a body without end': () => {
      answer = (_, response) => void response.writeHead(200).write('{')
    },
    'a huge body': () => answerWith(200, JSON.stringify({ booking_id: 'x'.repeat(2_000_000) })),
    'no answer': () => {
      answer = () => {}
    },
    'a reset connection': () => {
      answer = (request) => void request.socket.resetAndDestroy()
    },
  }
  for (const [name, arrange] of Object.entries(answers)) {
    test(name, async () => {
      arrange()
      await carryOut(effect(), settings())
      assert.deepEqual(happened, ['retried'])
      assert.equal(retryMs, 200)
    })
  }

  test('a service that is not there', async () => {
    await carryOut(effect({ attempt: 4 }), { ...settings(), gateway: 'http://127.0.0.1:1' })
    assert.equal(retryMs, 1_600)
  })

  test('Retry-After is honoured when it asks for more', async () => {
    answerWith(429, '', { 'Retry-After': '7' })
    await carryOut(effect(), settings())
    assert.equal(retryMs, 7_000)
  })

  test('out of attempts, it becomes a dead letter', async () => {
    answerWith(503, 'out of order')
    await carryOut(effect({ attempt: maxAttempts - 1 }), settings())
    assert.deepEqual(happened, ['retried'])
    await carryOut(effect({ attempt: maxAttempts }), settings())
    assert.deepEqual(happened.slice(1), ['kept', 'announced', 'counted dead-nation effect-exhausted', 'done'])
    const { at, ...letter } = letters[0] as DeadLetter
    assert.deepEqual(letter, {
      partition: partitionOf(bookingId, 64),
      kind: 'dead-nation',
      actorId: bookingId,
      type: 'BookTickets',
      messageId: effectId,
      code: 'effect-exhausted',
      cause: 'attempt 20: 503: out of order',
      payload: effect().payload,
      headers: { h: '1' },
      meta,
    })
  })
})

describe('what cannot be carried out is a dead letter at once', () => {
  const rows: [string, Partial<EffectDelivery>, string][] = [
    ['not JSON', { payload: Buffer.from('{') }, 'message-unparsable'],
    ['a field missing', { payload: Buffer.from('{}') }, 'message-unparsable'],
    ['an unknown request', { type: 'constructor' }, 'unknown-command'],
  ]
  for (const [name, changes, code] of rows) {
    test(name, async () => {
      await carryOut(effect(changes), settings())
      assert.equal(letters[0]?.code, code)
      assert.equal(happened.at(-1), 'done')
      assert.equal(calls.length, 0)
    })
  }

  test('a final no that has no consequence', async () => {
    answerWith(409, 'never')
    const { onRefused: _, ...call } = deadNation.calls.BookTickets
    const adapter = { ...deadNation, calls: { BookTickets: call } }
    await carryOut(effect(), { ...settings(), adapter })
    assert.equal(letters[0]?.code, 'effect-refused')
    assert.equal(letters[0]?.cause, 'never')
  })
})

describe('a call that fails', () => {
  test('is noted for as long as it does, with its last failure', async () => {
    answerWith(503, 'out of order')
    await carryOut(effect(), settings())
    await carryOut(effect({ attempt: 2 }), settings())
    const ids = { kind: 'booking', id: bookingId, partition: partitionOf(bookingId, 64), effectId }
    const { type, attempts, cause } = { type: 'BookTickets', attempts: 2, cause: '503: out of order' }
    const failure = { ...ids, service: 'dead-nation', request: { type, ...request }, attempts, cause }
    assert.deepEqual([...notes.values()], [failure])
    answerWith(200, { booking_id: bookingId })
    await carryOut(effect({ attempt: 3 }), settings())
    assert.equal(notes.size, 0)
  })

  test('is not noted any more when it is refused, or a dead letter', async () => {
    for (const [attempt, status] of [
      [2, 409],
      [maxAttempts, 503],
    ] as const) {
      answerWith(503, '')
      await carryOut(effect(), settings())
      assert.equal(notes.size, 1)
      answerWith(status, '')
      await carryOut(effect({ attempt }), settings())
      assert.equal(notes.size, 0)
    }
  })

  test('goes its way also when that cannot be noted', async () => {
    const gone = async () => {
      throw new Error('gone')
    }
    const failing = { ...settings(), failures: { noteFailure: gone, forgetFailure: gone } }
    answerWith(503, '')
    await carryOut(effect(), failing)
    answerWith(200, { booking_id: bookingId })
    await carryOut(effect({ attempt: 2 }), failing)
    assert.deepEqual(happened, ['retried', 'published', 'done'])
  })
})

test('an outcome or a dead letter that cannot be stored leaves the effect on the queue', async () => {
  const failing = { ...settings() }
  failing.deliver = () => Promise.reject(new Error('closed'))
  failing.deadLetters = { keepDeadLetter: () => Promise.reject(new Error('gone')) }
  await assert.rejects(carryOut(effect(), failing), /closed/)
  await assert.rejects(carryOut(effect({ payload: Buffer.from('') }), failing), /gone/)
  assert.ok(!happened.includes('done'))
})

test('closing waits for the calls under way', async () => {
  let hand: (effect: EffectDelivery) => Promise<void> = async () => {}
  const { publisher, deliver, deadLetters, failures, clock, random, log } = settings()
  const effects = await startEffects({
    config: { GATEWAY_ADDR: `${gateway}/`, TURNSTILE_PARTITIONS: 64, TURNSTILE_CALLS_PER_SECOND: 100 },
    effects: {
      async consume(service, concurrency, handle) {
        assert.ok(concurrency > 1)
        if (service === 'dead-nation') hand = handle
        return { limit() {}, close: async () => void happened.push(`closed ${service}`) }
      },
    },
    publisher,
    offer: () => () => {},
    deliver,
    store: { ...deadLetters, ...failures, readPauses: async () => [] },
    clock,
    callHttp,
    random,
    log,
    tracer: noTracer,
    observer: { deadLetter() {}, paused() {}, called() {}, circuit() {} },
  })
  const work = hand(effect())
  await effects.close()
  assert.deepEqual(
    happened.slice(0, services.length),
    services.map((service) => `closed ${service}`),
  )
  assert.deepEqual(happened.slice(services.length), ['published', 'done'])
  await work
})

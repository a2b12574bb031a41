import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeadLetter, EffectDelivery, TurnRecord } from '../engine/ports.ts'
import { isSampled } from './traceparent.ts'
import { tracerForTests } from './tracer.fixtures.ts'

const id = '01900000-0000-7000-8000-00000000000a'
const messageId = '01900000-0000-7000-8000-00000000000b'
const to = { kind: 'booking', id }
const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
const followed = `00-${trace}-00f067aa0ba902b7-01`
const unfollowed = `00-${trace}-00f067aa0ba902b7-00`
const correlationId = 'story'

const delivered = (traceparent?: string) => {
  const meta = { correlationId, ...(traceparent !== undefined && { traceparent }) }
  return { to, type: 'CancelBooking', messageId, meta, isDelivered: true }
}

const recordOf = (traceparent: string, parent?: string): TurnRecord => ({
  partition: 3,
  position: 7,
  kind: 'booking',
  actorId: id,
  version: 2,
  messageId,
  at: '2026-01-02T03:04:05.678Z',
  message: { type: 'CancelBooking' },
  meta: { correlationId, traceparent, ...(parent !== undefined && { parent }) },
  decision: { outcome: 'refused', because: 'too-late' },
})

test('a request that comes with a context is a part of that trace; one that comes without begins another', () => {
  const { tracer, seen } = tracerForTests()
  const request = { method: 'POST', path: '/shows' }
  const answer = { status: 201, route: '/shows' }
  for (const traceparent of [followed, undefined]) tracer.request({ ...request, traceparent })?.end(answer)
  const [within, beginning] = seen()
  assert.equal(within?.name, 'POST /shows')
  assert.equal(within?.parent, followed)
  assert.deepEqual(within?.attributes, {
    'http.request.method': 'POST',
    'http.route': '/shows',
    'url.path': '/shows',
    'url.scheme': 'http',
    'http.response.status_code': 201,
  })
  assert.equal(beginning?.parent, undefined)
})

test('only what is the fault of the server is an error of it', () => {
  const { tracer, seen } = tracerForTests()
  const request = { method: 'GET', path: '/x', traceparent: undefined }
  for (const status of [404, 503]) tracer.request(request)?.end({ status, route: undefined })
  assert.deepEqual(
    seen().map(({ name, isError, attributes }) => [name, isError, attributes['error.type']]),
    [
      ['GET', false, undefined],
      ['GET', true, '503'],
    ],
  )
})

test('a turn has the same context whoever takes it, and says what came of it', () => {
  const [one, other] = [tracerForTests(), tracerForTests()]
  const spans = [one, other].map(({ tracer }) => tracer.turn(delivered(followed)))
  assert.equal(spans[0]?.traceparent, spans[1]?.traceparent)
  const elsewhere = one.tracer.turn({ ...delivered(followed), to: { kind: 'show', id } })
  assert.notEqual(elsewhere?.traceparent, spans[0]?.traceparent)
  spans[0]?.end(recordOf(spans[0].traceparent, followed))
  const [turn, ...others] = one.seen()
  assert.deepEqual(others, [], 'what was never ended is not there')
  assert.equal(turn?.name, 'turn booking.CancelBooking')
  assert.equal(turn?.traceparent, spans[0]?.traceparent)
  assert.equal(turn?.parent, followed)
  assert.deepEqual(turn?.attributes, {
    'messaging.system': 'nats',
    'messaging.operation.type': 'process',
    'messaging.operation.name': 'turn',
    'messaging.message.id': messageId,
    'messaging.destination.partition.id': '3',
    'turnstile.actor.kind': 'booking',
    'turnstile.actor.id': id,
    'turnstile.turn.version': 2,
    'turnstile.turn.outcome': 'refused',
    'turnstile.turn.because': 'too-late',
  })
})

test('a turn is shown again from the journal, if it was followed', () => {
  const { tracer, seen } = tracerForTests()
  const [within, beginning] = [tracer.turn(delivered(followed)), tracer.turn(delivered())]
  assert.ok(within && beginning)
  tracer.turnsAgain([
    recordOf(within.traceparent, followed),
    recordOf(beginning.traceparent),
    recordOf(followed),
    recordOf(unfollowed),
  ])
  assert.deepEqual(
    seen().map(({ traceparent, parent }) => ({ traceparent, parent })),
    [
      { traceparent: within.traceparent, parent: followed },
      { traceparent: beginning.traceparent, parent: undefined },
    ],
  )
  assert.equal(seen()[0]?.startMs, Date.parse('2026-01-02T03:04:05.678Z'))
  assert.equal(seen()[0]?.attributes['turnstile.told_again'], true)
})

test('a commit stands below the first of its turns, and names all of them', () => {
  const { tracer, seen } = tracerForTests()
  const spans = [followed, undefined].flatMap((traceparent) => tracer.turn(delivered(traceparent)) ?? [])
  tracer.commit(spans, 5)?.end()
  tracer.commit([], 5)?.end()
  const contexts = spans.map(({ traceparent }) => traceparent)
  const [commit, ...others] = seen()
  assert.deepEqual(others, [])
  assert.deepEqual({ parent: commit?.parent, links: commit?.links }, { parent: contexts[0], links: contexts })
  assert.equal(commit?.attributes['db.operation.batch.size'], 5)
})

test('a dead letter is an error, and leaves the id of the turn for when it comes back', () => {
  const { tracer, seen } = tracerForTests()
  const turn = tracer.turn(delivered(followed))
  tracer.deadLetter({
    kind: 'booking',
    actorId: id,
    type: 'CancelBooking',
    messageId,
    meta: delivered(followed).meta,
    code: 'turn-threw',
  } as DeadLetter)
  const [letter] = seen()
  assert.deepEqual([letter?.parent, letter?.isError, letter?.attributes['error.type']], [followed, true, 'turn-threw'])
  assert.notEqual(letter?.traceparent, turn?.traceparent)
})

test('a publish has one name for all actors', () => {
  const { tracer, seen } = tracerForTests()
  tracer
    .publish({ messageId, meta: { correlationId, traceparent: followed } }, `turnstile.mbx.12.show.${id}.ReserveSeats`)
    ?.end()
  const [publish] = seen()
  assert.equal(publish?.name, 'publish turnstile.mbx.{partition}.show.{id}.ReserveSeats')
  assert.equal(publish?.attributes['messaging.destination.name'], `turnstile.mbx.12.show.${id}.ReserveSeats`)
})

test('an effect shows its attempts, each with its calls', () => {
  const { tracer, seen } = tracerForTests()
  const effect = { service: 'files', type: 'PrintTicket', actor: to, messageId } as EffectDelivery
  for (const attempt of [1, 2]) {
    const span = tracer.effect({ ...effect, attempt, meta: { correlationId, traceparent: followed } })
    const call = tracer.call({ method: 'PUT', url: 'http://files.local/a', attempt, traceparent: span?.traceparent })
    call?.end(attempt === 1 ? { failed: 'ECONNRESET' } : { status: 409 })
    span?.end(attempt === 1 ? 'temporary' : 'done')
  }
  const [firstCall, first, secondCall, second] = seen()
  assert.deepEqual([first?.parent, second?.parent], [followed, followed])
  assert.deepEqual([firstCall?.parent, secondCall?.parent], [first?.traceparent, second?.traceparent])
  assert.deepEqual([first?.isError, second?.isError, firstCall?.isError], [true, false, true])
  assert.deepEqual(secondCall?.attributes, {
    'http.request.method': 'PUT',
    'url.full': 'http://files.local/a',
    'server.address': 'files.local',
    'server.port': 80,
    'http.request.resend_count': 1,
    'http.response.status_code': 409,
    'error.type': '409',
  })
})

test('of a story that is not followed nothing is shown, and its context is left as it is', () => {
  const { tracer, seen } = tracerForTests()
  const meta = { correlationId, traceparent: unfollowed }
  assert.equal(tracer.turn(delivered(unfollowed)), undefined)
  assert.equal(tracer.request({ method: 'GET', path: '/', traceparent: unfollowed }), undefined)
  assert.equal(tracer.publish({ messageId, meta }, 'x'), undefined)
  assert.equal(tracer.effect({ meta } as EffectDelivery), undefined)
  assert.equal(tracer.call({ method: 'GET', url: 'x', attempt: 1, traceparent: unfollowed }), undefined)
  assert.deepEqual(seen(), [])
})

test('a story that begins and that the sampler does not want says so to all that follows', () => {
  const { tracer, seen } = tracerForTests(0)
  const request = tracer.request({ method: 'GET', path: '/', traceparent: undefined })
  const turn = tracer.turn(delivered())
  assert.equal(request && isSampled(request.traceparent), false)
  assert.equal(turn && isSampled(turn.traceparent), false)
  request?.end({ status: 200, route: '/' })
  turn?.end(recordOf(turn.traceparent))
  assert.equal(tracer.commit(turn ? [turn] : [], 1), undefined)
  assert.deepEqual(seen(), [])
})

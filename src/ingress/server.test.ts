import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import net from 'node:net'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { partitionOf } from '../actor/ids.ts'
import { defaultPartitions } from '../config.ts'
import type { StoredActor } from '../engine/ports.ts'
import { TurnstileError } from '../errors.ts'
import { createHouse, openIngress, type TestHouse } from './house.fixtures.ts'
import type { Ingress } from './server.ts'

const showId = '019389c2-4c00-7d2e-9a51-6f1b0c7a8e44'
const order = { show_id: showId, number_of_tickets: 2, customer_email: 'ada@example.org' }
const show = {
  dead_nation_id: '3f8a9c54-90a4-4e0d-8a3f-5a7f6b1c2d3e',
  number_of_tickets: 500,
  start_time: '2027-06-01T22:00:00+02:00',
  title: 'The <b>Cranes</b> 🦩',
  venue: 'Old Mill',
}

let house: TestHouse
let ingress: Ingress

async function open(settings: Record<string, string> = {}): Promise<void> {
  house = createHouse()
  ingress = await openIngress(house, settings)
}

const post = (path: string, body: unknown, headers: Record<string, string> = {}, to = ingress) =>
  fetch(`${to.url}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

async function assertProblem(response: Response, status: number, code: string): Promise<Record<string, unknown>> {
  const problem = (await response.json()) as Record<string, unknown>
  assert.equal(response.status, status, JSON.stringify(problem))
  assert.equal(response.headers.get('Content-Type'), 'application/problem+json')
  assert.equal(problem.type, `/problems/${code}`)
  assert.equal(problem.status, status)
  assert.equal(problem.error, problem.detail)
  if (status === 503) assert.match(response.headers.get('Retry-After') ?? '', /^\d+$/)
  return problem
}

beforeEach(() => open())
afterEach(() => ingress.close())

describe('commands', () => {
  test('a show is created by one command to a new actor', async () => {
    const response = await post('/shows', show, { 'Correlation-ID': 'story-1', traceparent: 'nonsense' })
    const [sent] = house.sent
    assert.equal(response.status, 201)
    assert.equal(response.headers.get('Correlation-ID'), 'story-1')
    assert.deepEqual(await response.json(), { show_id: sent?.address.id })
    assert.equal(house.sent.length, 1)
    assert.equal(sent?.address.kind, 'show')
    assert.deepEqual(sent?.command, { type: 'CreateShow', ...show, start_time: '2027-06-01T20:00:00.000Z' })
    assert.deepEqual(sent?.meta, { correlationId: 'story-1', replyTo: 'reply.here', requestId: sent?.messageId })
  })

  test('fields that nobody asked for are ignored', async () => {
    const response = await post('/book-tickets', { ...order, vip: true, type: 'ReserveSeats', booking_id: showId })
    assert.equal(response.status, 201)
    assert.deepEqual(house.sent[0]?.command, { type: 'BookShowTickets', ...order })
  })

  test('the same key leads to the same ids in any process, and keeps the time of a UUIDv7', async () => {
    const key = '019389ff-0000-7000-8000-000000000001'
    const otherHouse = createHouse()
    const other = await openIngress(otherHouse)
    await post('/book-tickets', order, { 'Idempotency-Key': key })
    await post('/book-tickets', order, { 'Idempotency-Key': key }, other)
    await other.close()
    const [first] = house.sent
    const [second] = otherHouse.sent
    assert.deepEqual(first?.address, second?.address)
    assert.equal(first?.messageId, second?.messageId)
    assert.equal(first?.meta.fingerprint, second?.meta.fingerprint)
    assert.equal(first?.messageId.slice(0, 13), key.slice(0, 13))
    await post('/shows', show, { 'Idempotency-Key': key })
    assert.notEqual(house.sent[1]?.messageId, first?.messageId)
  })

  test('a booking without a key lies with its show; with one, its id depends on nothing else', async () => {
    const otherShow = '019389c2-4c00-7d2e-9a51-6f1b0c7a8e45'
    assert.notEqual(partitionOf(otherShow, defaultPartitions), partitionOf(showId, defaultPartitions))
    for (const show_id of [showId, otherShow]) await post('/book-tickets', { ...order, show_id })
    for (const show_id of [showId, otherShow]) {
      await post('/book-tickets', { ...order, show_id }, { 'Idempotency-Key': 'k' })
    }
    const [free, otherFree, keyed, otherKeyed] = house.sent.map(({ address }) => address.id) as [
      string,
      string,
      string,
      string,
    ]
    assert.equal(partitionOf(free, defaultPartitions), partitionOf(showId, defaultPartitions))
    assert.equal(partitionOf(otherFree, defaultPartitions), partitionOf(otherShow, defaultPartitions))
    assert.equal(keyed, otherKeyed)
  })

  test('the order of the fields makes no difference to a key, their values do', async () => {
    const headers = { 'Idempotency-Key': 'k' }
    await post('/book-tickets', order, headers)
    await post('/book-tickets', Object.fromEntries(Object.entries(order).reverse()), headers)
    await post('/book-tickets', { ...order, number_of_tickets: 3 }, headers)
    const [first, second, third] = house.sent.map(({ meta }) => meta.fingerprint)
    assert.equal(first, second)
    assert.notEqual(first, third)
  })

  test('a refusal is the problem of its name, or a plain refusal', async () => {
    const refuse = (refused: string) => {
      house.onSend = async ({ messageId }) => {
        house.answer({ requestId: messageId, reply: { refused, reason: 'because' } })
        return { duplicate: false }
      }
    }
    refuse('sold-out')
    const problem = await assertProblem(await post('/book-tickets', order), 400, 'sold-out')
    assert.equal(problem.detail, 'because')
    refuse('unknown-show')
    await assertProblem(await post('/book-tickets', order), 404, 'unknown-show')
    refuse('bad-hair')
    await assertProblem(await post('/book-tickets', order), 409, 'refused')
  })

  test('a dead letter is a fault of ours, of which only the log says more', async () => {
    house.onSend = async ({ messageId }) => {
      house.answer({ requestId: messageId, reply: { refused: 'dead-letter', reason: 'secret' } })
      return { duplicate: false }
    }
    const problem = await assertProblem(await post('/book-tickets', order), 500, 'internal')
    assert.doesNotMatch(JSON.stringify(problem), /secret/)
    assert.match(String(house.logged.find(({ level }) => level === 'error')?.fields.err), /secret/)
  })

  test('what is paused is 503, and not to be asked for again at once', async () => {
    house.onSend = async ({ messageId }) => {
      house.answer({ requestId: messageId, reply: { refused: 'paused', reason: 'the show is paused' } })
      return { duplicate: false }
    }
    const response = await post('/book-tickets', order)
    assert.equal(response.headers.get('retry-after'), '30')
    assert.equal((await assertProblem(response, 503, 'paused')).detail, 'the show is paused')
  })

  test('what the broker cannot take is 503', async () => {
    const codes = {
      'broker-unavailable': 'unavailable',
      'mailbox-full': 'overloaded',
      'broker-timeout': 'outcome-unknown',
    }
    for (const [code, problem] of Object.entries(codes)) {
      house.onSend = async () => {
        throw new TurnstileError(code as 'mailbox-full', 'no')
      }
      await assertProblem(await post('/book-tickets', order), 503, problem)
    }
  })

  test('a fault of ours is 500, says nothing, and is logged under the correlation id', async () => {
    house.onSend = async () => {
      throw new Error('secret')
    }
    const response = await post('/book-tickets', order, { 'Correlation-ID': 'story-2' })
    const problem = await assertProblem(response, 500, 'internal')
    assert.doesNotMatch(JSON.stringify(problem), /secret/)
    const line = house.logged.find(({ level }) => level === 'error')
    assert.equal(line?.fields.correlationId, 'story-2')
    assert.match(String(line?.fields.err), /secret/)
  })
})

describe('queries', () => {
  const store = (kind: string, id: string, state: unknown) => {
    const actor: StoredActor = { kind, id, partition: 0, version: 1, state }
    house.actors.set(`${kind}/${id}`, actor)
  }

  test('a show', async () => {
    const { number_of_tickets, ...details } = { ...show, start_time: '2027-06-01T20:00:00.000Z' }
    store('show', showId, { status: 'on-sale', ...details, capacity: number_of_tickets, reserved: 120 })
    const response = await fetch(`${ingress.url}/shows/${showId.toUpperCase()}`)
    const seats = { number_of_tickets: 500, seats_reserved: 120, seats_left: 380 }
    assert.deepEqual(await response.json(), { show_id: showId, ...details, ...seats })
  })

  test('a booking in each of its states', async () => {
    const times = { requested_at: '2026-12-01T09:30:00.000Z', deadline_at: '2026-12-01T09:45:00.000Z' }
    const asked = { ...order, ...times }
    const states = [
      { status: 'reserving', ...asked },
      { status: 'made', ...asked, tickets_ordered: true, tickets: { [showId]: 'confirmed' } },
      { status: 'failed', ...asked, failure_reason: 'sold out', tickets: {} },
      { status: 'canceled', ...asked, awaits_tickets: true, tickets: { [showId]: 'late' } },
    ]
    for (const state of states) {
      store('booking', showId, state)
      const response = await fetch(`${ingress.url}/bookings/${showId}`)
      assert.deepEqual(await response.json(), { booking_id: showId, tickets_ordered: false, tickets: {}, ...state })
    }
  })

  test('a booking that was stored before there were deadlines', async () => {
    const asked = { ...order, requested_at: '2026-12-01T09:30:00.000Z' }
    store('booking', showId, { status: 'canceled', ...asked, tickets: {} })
    const response = await fetch(`${ingress.url}/bookings/${showId}`)
    const shown = { booking_id: showId, tickets_ordered: false, tickets: {}, status: 'canceled', ...asked }
    assert.deepEqual(await response.json(), { ...shown, awaits_tickets: true, deadline_at: '2026-12-01T09:45:00.000Z' })
  })

  test('what is not there, or has no more than a name, is 404', async () => {
    const nobody = '00000000-0000-0000-0000-000000000000'
    store('booking', nobody, { status: 'unknown' })
    await assertProblem(await fetch(`${ingress.url}/bookings/${nobody}`), 404, 'unknown-booking')
    await assertProblem(await fetch(`${ingress.url}/shows/${nobody}`), 404, 'unknown-show')
  })

  test('a read that fails is 503', async () => {
    house.reads.actor = async () => {
      throw new Error('connection lost')
    }
    await assertProblem(await fetch(`${ingress.url}/shows/${showId}`), 503, 'unavailable')
  })
})

describe('refusing at once', () => {
  test('while the broker is away', async () => {
    house.requests.isConnected = false
    await assertProblem(await post('/book-tickets', order), 503, 'unavailable')
    await assertProblem(await fetch(`${ingress.url}/health/ready`), 503, 'unavailable')
    assert.equal((await fetch(`${ingress.url}/health`)).status, 200)
    assert.deepEqual(house.sent, [])
  })

  test('while the database is away, and no longer', async () => {
    await ingress.close()
    house = createHouse()
    const { health } = house.reads
    house.reads.health = () => Promise.reject(new Error('gone'))
    ingress = await openIngress(house)
    await assertProblem(await post('/book-tickets', order), 503, 'unavailable')
    await assertProblem(await fetch(`${ingress.url}/shows/${showId}`), 503, 'unavailable')
    await assertProblem(await fetch(`${ingress.url}/health/ready`), 503, 'unavailable')
    house.reads.health = health
    while ((await fetch(`${ingress.url}/health/ready`)).status !== 200) await sleep(20)
    assert.equal((await post('/book-tickets', order)).status, 201)
    assert.equal(house.sent.length, 1)
  })

  test('a database that hangs counts as away', async () => {
    await ingress.close()
    house = createHouse()
    house.reads.health = () => new Promise(() => {})
    ingress = await openIngress(house)
    await assertProblem(await post('/book-tickets', order), 503, 'unavailable')
  })

  test('while no worker is alive, and no longer', async () => {
    await ingress.close()
    house = createHouse()
    house.workers = 0
    ingress = await openIngress(house)
    await assertProblem(await post('/book-tickets', order), 503, 'unavailable')
    await assertProblem(await fetch(`${ingress.url}/health/ready`), 503, 'unavailable')
    await assertProblem(await fetch(`${ingress.url}/shows/${showId}`), 404, 'unknown-show')
    assert.deepEqual(house.sent, [])
    house.workers = 1
    while ((await fetch(`${ingress.url}/health/ready`)).status !== 200) await sleep(20)
    assert.equal((await post('/book-tickets', order)).status, 201)
  })

  test('when the mailboxes are too far behind', async () => {
    await ingress.close()
    house = createHouse()
    house.lag = 11
    ingress = await openIngress(house, { TURNSTILE_MAX_LAG: '10' })
    await assertProblem(await post('/book-tickets', order), 503, 'overloaded')
  })

  test('before the body is read, with one line in the log for all of them', async () => {
    await ingress.close()
    house = createHouse()
    house.lag = 11
    ingress = await openIngress(house, { TURNSTILE_MAX_LAG: '10' })
    for (const path of ['/book-tickets', '/shows', '/nowhere']) {
      const headers = { 'Correlation-ID': 'story-3', 'Content-Type': 'application/json' }
      const response = await fetch(`${ingress.url}${path}`, { method: 'POST', body: '{no JSON', headers })
      assert.equal(response.headers.get('correlation-id'), 'story-3')
      assert.equal(response.headers.get('retry-after'), '1')
      await assertProblem(response, 503, 'overloaded')
    }
    assert.equal((await fetch(`${ingress.url}/health`)).status, 200)
    assert.equal((await fetch(`${ingress.url}/shows/${showId}`)).status, 404)
    assert.equal(house.logged.filter(({ level }) => level === 'warn').length, 1)
    const counted = /^turnstile_http_request_seconds_count{route="none",method="POST",status="503"} 3$/m
    assert.match(await (await fetch(`${ingress.url}/metrics`)).text(), counted)
  })

  test('on a connection that goes on, however long the body is that nobody reads', async (t) => {
    await ingress.close()
    house = createHouse()
    house.lag = 11
    ingress = await openIngress(house, { TURNSTILE_MAX_LAG: '10' })
    const socket = net.connect(Number(new URL(ingress.url).port))
    t.after(() => socket.destroy())
    let received = ''
    socket.setEncoding('latin1').on('data', (chunk) => (received += chunk))
    const body = 'x'.repeat(900_000)
    const request = `POST /book-tickets HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    for (const times of [1, 2, 3]) {
      socket.write(request)
      while (received.split('/problems/overloaded').length - 1 < times) await sleep(5)
    }
    assert.equal(received.match(/HTTP\/1\.1 503 /g)?.length, 3)
  })

  test('when too many wait already', async () => {
    await ingress.close()
    await open({ TURNSTILE_MAX_PENDING_REQUESTS: '2', TURNSTILE_REQUEST_TIMEOUT_MS: '300' })
    house.onSend = async () => ({ duplicate: false })
    const answers = await Promise.all([1, 2, 3].map(() => post('/book-tickets', order)))
    const codes = await Promise.all(answers.map(async (answer) => ((await answer.json()) as { type: string }).type))
    assert.deepEqual(codes.sort(), ['/problems/outcome-unknown', '/problems/outcome-unknown', '/problems/overloaded'])
  })
})

describe('a process that takes no requests', () => {
  beforeEach(async () => {
    await ingress.close()
    house = createHouse()
    house.workers = 0
    ingress = await openIngress(house, {}, false)
  })

  test('serves what is about itself, and nothing else', async () => {
    assert.equal((await fetch(`${ingress.url}/health`)).status, 200)
    assert.match(await (await fetch(`${ingress.url}/metrics`)).text(), /^turnstile_duplicates_total 0$/m)
    await assertProblem(await post('/book-tickets', order), 404, 'unknown-route')
    await assertProblem(await fetch(`${ingress.url}/shows/${showId}`), 404, 'unknown-route')
  })

  test('is ready without a worker, but not without the broker, and not while it stops', async () => {
    const isReady = async () => (await fetch(`${ingress.url}/health/ready`)).status === 200
    assert.equal(await isReady(), true)
    house.requests.isConnected = false
    assert.equal(await isReady(), false)
    house.requests.isConnected = true
    const drained = ingress.drain(100)
    assert.equal(await isReady(), false)
    await drained
  })
})

describe('ending', () => {
  /** Answers nothing until it is told to. */
  function holdAnswers(): () => void {
    const held: (() => void)[] = []
    house.onSend = async ({ messageId, address }) => {
      held.push(() => house.answer({ requestId: messageId, reply: { ok: { booking_id: address.id } } }))
      return { duplicate: false }
    }
    return () => {
      for (const answer of held) answer()
    }
  }

  const connect = async () => {
    const socket = net.connect(Number(new URL(ingress.url).port))
    await once(socket, 'connect')
    return socket
  }

  const refusedConnections = async () => {
    const isTaken = (socket: net.Socket) => {
      socket.destroy()
      return true
    }
    while (await connect().then(isTaken, () => false)) await sleep(5)
  }

  const sentCommands = async (count: number) => {
    while (house.sent.length < count) await sleep(5)
  }

  test('requests before and during the grace time are answered, and their clients asked to hang up', async () => {
    const release = holdAnswers()
    const early = post('/book-tickets', order)
    await sentCommands(1)
    const drained = ingress.drain(300)
    await assertProblem(await fetch(`${ingress.url}/health/ready`), 503, 'unavailable')
    const late = post('/book-tickets', order)
    await sentCommands(2)
    release()
    for (const response of [await early, await late]) {
      assert.equal(response.status, 201)
      assert.equal(response.headers.get('Connection'), 'close')
    }
    await drained
    await assert.rejects(fetch(`${ingress.url}/health`))
  })

  test('after the grace time whoever is connected is still served, and whoever says nothing is cut', async () => {
    const release = holdAnswers()
    const [talker, silent] = [await connect(), await connect()]
    const early = post('/book-tickets', order)
    await sentCommands(1)
    const drained = ingress.drain(0)
    await refusedConnections()
    talker.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n')
    const [answer] = await once(talker, 'data')
    assert.match(String(answer), /^HTTP\/1.1 200 OK/)
    release()
    assert.equal((await early).status, 201)
    silent.resume()
    await Promise.all([drained, once(silent, 'close')])
  })

  test('a request on a connection that had others is answered before it is hung up on, and who has none is hung up on', async () => {
    const release = holdAnswers()
    const [busy, idle] = [await connect(), await connect()]
    let received = ''
    busy.setEncoding('latin1').on('data', (chunk) => (received += chunk))
    for (const socket of [busy, idle]) socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n')
    await Promise.all([once(busy, 'data'), once(idle, 'data')])
    const body = JSON.stringify(order)
    const type = 'Content-Type: application/json'
    busy.write(`POST /book-tickets HTTP/1.1\r\nHost: x\r\n${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    await sentCommands(1)
    const drained = ingress.drain(0)
    await refusedConnections()
    assert.equal(busy.closed, false)
    release()
    await Promise.all([drained, once(busy, 'close'), once(idle.resume(), 'close')])
    assert.match(received, /HTTP\/1.1 201 Created\r\n(?:.+\r\n)+\r\n{"booking_id":"[^"]+"}$/)
    assert.match(received, /\r\nConnection: close\r\n/)
  })

  test('clients that come back over and over during a drain see no failure until they hang up', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 8 })
    const failures: unknown[] = []
    let answers = 0
    let isOver = false
    const client = async () => {
      while (!isOver) {
        const isClosing = await request(`${ingress.url}/health`, agent).catch((error) => {
          failures.push(error)
          return true
        })
        answers++
        if (isClosing) return
      }
    }
    const clients = Promise.all(Array.from({ length: 8 }, client))
    while (answers < 100) await sleep(5)
    await ingress.drain(200)
    isOver = true
    await clients
    agent.destroy()
    assert.deepEqual(failures, [])
  })

  test('a port in use is told as what it is', async () => {
    const { port } = new URL(ingress.url)
    await assert.rejects(openIngress(createHouse(), { PORT: port }), (error: TurnstileError) => {
      assert.equal(error.code, 'config-invalid')
      assert.match(error.message, new RegExp(`PORT ${port} is in use`))
      return true
    })
  })
})

/** Resolves to whether the server asked to hang up. */
function request(url: string, agent: Agent): Promise<boolean> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.headers.connection === 'close'))
    }).on('error', reject)
  })
}

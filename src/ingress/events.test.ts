import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, mock, test } from 'node:test'
import { EventClient } from '../../test/support/event-source.ts'
import { until } from '../../test/support/wait.ts'
import { deriveId, partitionOf } from '../actor/ids.ts'
import { defaultPartitions } from '../config.ts'
import type { TurnEvents } from '../engine/ports.ts'
import { assertRefused } from './bad-input.fixtures.ts'
import { createHouse, openIngress, type TestHouse } from './house.fixtures.ts'
import { Live, maxListeners } from './live/live.ts'
import type { Ingress } from './server.ts'

const bookingId = '019389c7-1f3a-7b08-8c66-2d94e5b1a703'
const at = '2026-12-01T09:30:00.000Z'

let house: TestHouse
let ingress: Ingress
const clients: EventClient[] = []

beforeEach(async () => {
  house = createHouse()
  ingress = await openIngress(house)
  store(bookingId, { status: 'reserving' })
})
afterEach(async () => {
  mock.timers.reset()
  for (const client of clients.splice(0)) client.close()
  await ingress.close()
})

function store(id: string, state: object): void {
  const order = { show_id: bookingId, number_of_tickets: 2, customer_email: 'ada@example.org', requested_at: at }
  house.actors.set(`booking/${id}`, { kind: 'booking', id, partition: 0, version: 1, state: { ...order, ...state } })
}

/** The next turn of this actor, with these events; those whose names begin with `Booking` are public. */
function happen(actorId: string, ...names: string[]): void {
  const partition = partitionOf(actorId, defaultPartitions)
  const turn: TurnEvents = {
    partition,
    position: house.journal.filter((turn) => turn.partition === partition).length + 1,
    kind: 'booking',
    actorId,
    version: house.journal.filter((turn) => turn.actorId === actorId).length + 1,
    messageId: deriveId(actorId, house.journal.length),
    at,
    events: names.map((type) => ({ type, booking_id: actorId })),
    publishes: names.flatMap((type, index) =>
      /^Booking/.test(type) ? { messageId: deriveId(actorId, type), index } : [],
    ),
  }
  house.journal.push(turn)
}

async function listen(path: string, lastId?: string, to = ingress): Promise<EventClient> {
  const client = new EventClient(`${to.url}${path}`, lastId)
  clients.push(client)
  await until('it listens', () => client.lastId !== undefined)
  return client
}

const namesOf = ({ events }: EventClient) => events.map(({ name }) => name)
const heard = (client: EventClient, count: number) => until(`${count} events`, () => client.events.length >= count)
const listeners = async () => Number(/^turnstile_listeners (\d+)$/m.exec(await house.metrics.registry.metrics())?.[1])
const ofBooking = `/bookings/${bookingId}/events`

describe('the events of a booking', () => {
  test('come from the first on, then as they happen, each with an id, its name, its fields and its time', async () => {
    happen(bookingId, 'BookingRequested_v1')
    happen(bookingId)
    const client = await listen(ofBooking.replace(bookingId, bookingId.toUpperCase()))
    await heard(client, 1)
    happen(bookingId, 'BookingMade_v1', 'TicketConfirmed_v1')
    await heard(client, 3)
    const data = { happened_at: at, booking_id: bookingId }
    assert.deepEqual(client.events, [
      { id: '1', name: 'BookingRequested_v1', data },
      { id: '3.0', name: 'BookingMade_v1', data },
      { id: '3', name: 'TicketConfirmed_v1', data },
    ])
  })

  test('go on behind the last that came, also within a turn', async () => {
    happen(bookingId, 'A_v1', 'B_v1')
    happen(bookingId, 'C_v1')
    for (const [lastId, names] of [
      ['0', ['A_v1', 'B_v1', 'C_v1']],
      ['1.0', ['B_v1', 'C_v1']],
      ['1', ['C_v1']],
      ['', ['A_v1', 'B_v1', 'C_v1']],
    ] as const) {
      const client = await listen(ofBooking, lastId)
      await heard(client, names.length)
      assert.deepEqual(namesOf(client), names)
    }
    const abreast = await listen(ofBooking, '2')
    happen(bookingId, 'D_v1')
    await heard(abreast, 1)
    assert.deepEqual(namesOf(abreast), ['D_v1'])
  })

  test('are those of nobody else', async () => {
    const other = deriveId(bookingId, 'other')
    store(other, { status: 'reserving' })
    const client = await listen(ofBooking)
    const another = await listen(`/bookings/${other}/events`)
    happen(other, 'BookingMade_v1')
    happen(bookingId, 'BookingFailed_v1')
    await Promise.all([heard(client, 1), heard(another, 1)])
    assert.deepEqual([namesOf(client), namesOf(another)], [['BookingFailed_v1'], ['BookingMade_v1']])
  })

  test('are sent so that nothing on the way keeps them', async () => {
    const { headers, status } = await listen(ofBooking)
    assert.equal(status, 200)
    assert.equal(headers['content-type'], 'text/event-stream')
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(headers['x-accel-buffering'], 'no')
    assert.equal(headers.connection, 'close')
    assert.ok(headers['correlation-id'])
  })

  test('of a booking that nobody knows are none', async () => {
    const nobody = deriveId(bookingId, 'nobody')
    await assertRefused(await fetch(`${ingress.url}/bookings/${nobody}/events`), 404, 'unknown-booking')
    await assertRefused(await fetch(`${ingress.url}/bookings/x/events`), 400, 'invalid-request', 'booking_id')
    const response = await fetch(`${ingress.url}${ofBooking}`, { method: 'POST' })
    await assertRefused(response, 405, 'method-not-allowed')
  })
})

describe('the events of everybody', () => {
  const others = Array.from({ length: 20 }, (_, index) => deriveId(bookingId, index))

  test('are the public ones from now on, as they are published', async () => {
    happen(bookingId, 'BookingFailed_v1')
    const client = await listen('/events')
    happen(bookingId, 'TicketConfirmed_v1', 'BookingMade_v1')
    await heard(client, 1)
    const [event] = client.events
    const id = deriveId(bookingId, 'BookingMade_v1')
    const header = { id, published_at: at, idempotency_key: house.journal[1]?.messageId }
    assert.deepEqual(event?.data, { header, booking_id: bookingId })
    assert.equal(client.events.length, 1)
  })

  test('go on where they were cut off: each once, whoever they are of and however far behind', async () => {
    const whole = await listen('/events')
    const names = new Set<string>()
    const round = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const actor = others[names.size % others.length] as string
        happen(actor, `Booking${names.size}_v1`)
        names.add(`Booking${names.size}_v1`)
      }
    }
    let cut = await listen('/events')
    const parts: string[] = []
    for (const count of [30, 3_000, 7]) {
      await round(count)
      await until('some are heard', () => cut.events.length > 0)
      cut.close()
      parts.push(...namesOf(cut))
      cut = await listen('/events', cut.lastId)
    }
    await until('all are heard', () => parts.length + cut.events.length >= names.size)
    parts.push(...namesOf(cut))
    await heard(whole, names.size)
    assert.deepEqual(parts.sort(), [...names].sort())
    assert.deepEqual(namesOf(whole).sort(), [...names].sort())
    const last = others[0] as string
    const inOrder = whole.events
      .filter(({ data }) => data.booking_id === last)
      .map(({ name }) => Number(/\d+/.exec(name)))
    assert.deepEqual(
      inOrder,
      inOrder.toSorted((a, b) => a - b),
    )
  })

  test('miss nothing that happened before the first one came', async () => {
    const first = await listen('/events')
    first.close()
    happen(bookingId, 'BookingMade_v1')
    const client = await listen('/events', first.lastId)
    await heard(client, 1)
  })
})

describe('what is archived', () => {
  const detailOf = async (path: string, lastId = ''): Promise<string> => {
    const response = await fetch(`${ingress.url}${path}`, { headers: { 'Last-Event-ID': lastId } })
    assert.equal(response.status, 410)
    return ((await response.json()) as { detail: string }).detail
  }

  test('is not told of a booking; behind it, it goes on', async () => {
    for (const name of ['BookingRequested_v1', 'BookingMade_v1', 'TicketConfirmed_v1']) happen(bookingId, name)
    house.archived.version = 2
    assert.match(
      await detailOf(ofBooking),
      /^the first 2 turns of this one are archived: go on from behind them with 2$/,
    )
    await detailOf(ofBooking, '1')
    await detailOf(ofBooking, '2.0')
    const client = await listen(ofBooking, '2')
    await heard(client, 1)
    assert.deepEqual(namesOf(client), ['TicketConfirmed_v1'])
    // Also when nothing has come since.
    house.archived.version = 3
    assert.equal((await listen(ofBooking, '3')).status, 200)
  })

  test('is not told to whoever has missed it; whoever listens from now on misses nothing', async () => {
    for (const name of ['BookingRequested_v1', 'BookingMade_v1', 'BookingFailed_v1']) happen(bookingId, name)
    const partition = partitionOf(bookingId, defaultPartitions)
    house.archived.upTo[partition] = 2
    const idAt = (turn: number) =>
      Array.from({ length: defaultPartitions }, (_, n) => (n === partition ? turn : 0)).join('_')
    assert.match(await detailOf('/events', idAt(1)), /listen without it/)
    const client = await listen('/events', idAt(2))
    await heard(client, 1)
    assert.deepEqual(namesOf(client), ['BookingFailed_v1'])
    assert.equal((await listen('/events')).status, 200)
  })
})

describe('a Last-Event-ID that is none', () => {
  const vector = Array(defaultPartitions).fill('0').join('_')
  const rows: [string, string[]][] = [
    [ofBooking, ['x', '-1', '0.0', '1_1', '"1"', '9', '9.0', 'é', '<b>', vector, '1'.repeat(5_000)]],
    [
      '/events',
      ['0', '1.0', `${vector}_0`, vector.replace('0', '-1'), vector.replace('0', '9'), '__proto__', '_'.repeat(63)],
    ],
  ]
  for (const [path, ids] of rows) {
    for (const id of ids) {
      test(`${path.replace(bookingId, '…')} with ${id.slice(0, 30)}`, async () => {
        happen(bookingId, 'BookingMade_v1')
        const response = await fetch(`${ingress.url}${path}`, { headers: { 'Last-Event-ID': id } })
        await assertRefused(response, 400, 'invalid-request', 'Last-Event-ID')
      })
    }
  }
})

describe('listening', () => {
  test('ends at once when the server closes, for a client that hangs too', async () => {
    for (let i = 0; i < 3_000; i++) happen(bookingId, `Booking${'x'.repeat(5_000)}${i}_v1`)
    const closing = await openIngress(house)
    const [quick, slow] = [await listen('/events', undefined, closing), await listen(ofBooking, undefined, closing)]
    slow.stall()
    const beganMs = performance.now()
    await closing.close()
    assert.ok(performance.now() - beganMs < 2_000)
    await until('it has ended', () => quick.isOver)
    assert.equal(await listeners(), 0)
  })

  test('goes on during a drain until its grace is over', async () => {
    const draining = await openIngress(house)
    const client = await listen(ofBooking, undefined, draining)
    const drained = draining.drain(1_000)
    const other = await listen(ofBooking, undefined, draining)
    happen(bookingId, 'BookingMade_v1')
    await Promise.all([heard(client, 1), heard(other, 1)])
    await drained
    await until('both have ended', () => client.isOver && other.isOver)
  })

  test('outlives a database that is away, and goes on when it is back', async () => {
    mock.timers.enable({ apis: ['setInterval'] })
    const client = await listen(ofBooking)
    const { turnsOf } = house.feed
    let failed = 0
    house.feed.turnsOf = async () => {
      failed++
      throw new Error('gone')
    }
    await until('it was tried again', () => failed >= 2)
    mock.timers.tick(15_000)
    await until('there is a sign of life', () => client.comments === 1)
    happen(bookingId, 'BookingMade_v1')
    house.feed.turnsOf = turnsOf
    await heard(client, 1)
    assert.equal(house.logged.filter(({ message }) => /those who listen/.test(message)).length, 1)
  })

  test('cannot begin while the database is away', async () => {
    await ingress.close()
    house.reads.health = () => Promise.reject(new Error('gone'))
    ingress = await openIngress(house)
    for (const path of ['/events', ofBooking]) {
      await assertRefused(await fetch(`${ingress.url}${path}`), 503, 'unavailable')
    }
  })

  test('leaves nothing behind: not a HEAD, not a client that is gone before or after it begins', async () => {
    for (const path of ['/events', ofBooking]) {
      const head = await fetch(`${ingress.url}${path}`, { method: 'HEAD' })
      assert.equal(head.status, 200)
      assert.equal(head.headers.get('Content-Type'), 'text/event-stream')
    }
    const client = await listen('/events')
    assert.equal(await listeners(), 1)
    client.close()
    await until('nobody listens', async () => (await listeners()) === 0)
    let begin: (() => void) | undefined
    const { heads } = house.feed
    house.feed.heads = async () => {
      await new Promise<void>((resolve) => {
        begin = resolve
      })
      return heads()
    }
    const early = new EventClient(`${ingress.url}/events`)
    await until('it is asked for', () => begin !== undefined)
    early.close()
    await until('it is gone', () => early.isOver)
    begin?.()
    await until('nobody listens', async () => (await listeners()) === 0)
  })

  test('of many costs one reading a round, and none once nobody listens', async () => {
    const clients = await Promise.all(Array.from({ length: 20 }, (_, i) => listen(i % 2 ? '/events' : ofBooking)))
    const { turnsOf, turnsAfter } = house.feed
    const calls = { turnsOf: 0, turnsAfter: 0 }
    house.feed.turnsOf = async (seen, limit) => {
      calls.turnsOf++
      assert.equal(seen.length, 1)
      return turnsOf(seen, limit)
    }
    house.feed.turnsAfter = async (seen, limit) => {
      calls.turnsAfter++
      return turnsAfter(seen, limit)
    }
    happen(bookingId, 'BookingMade_v1')
    await Promise.all(clients.map((client) => heard(client, 1)))
    assert.ok(calls.turnsOf <= 3 && calls.turnsAfter <= 3, JSON.stringify(calls))
    for (const client of clients) client.close()
    await until('nobody listens', async () => (await listeners()) === 0)
    const before = { ...calls }
    await new Promise((resolve) => setTimeout(resolve, 500))
    assert.ok(calls.turnsOf - before.turnsOf <= 1 && calls.turnsAfter - before.turnsAfter <= 1)
  })

  test('is refused beyond the limit', async () => {
    const live = new Live({ feed: house.feed, partitions: defaultPartitions, log: house.log, count: () => {} })
    const streams = []
    for (let i = 0; i < maxListeners; i++)
      streams.push(await live.listenTo({ kind: 'booking', id: bookingId }, undefined))
    const overloaded = { code: 'overloaded', headers: { 'Retry-After': '1' } }
    await assert.rejects(live.listenToAll(undefined), overloaded)
    streams.pop()?.destroy()
    await new Promise((resolve) => setImmediate(resolve))
    streams.push(await live.listenToAll(undefined))
    await assert.rejects(live.listenTo({ kind: 'booking', id: bookingId }, undefined), overloaded)
    live.close()
    for (const stream of streams) stream.destroy()
    await assert.rejects(live.listenToAll(undefined), { code: 'unavailable' })
  })
})

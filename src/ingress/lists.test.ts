import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { ReadRow } from '../engine/read-model-ports.ts'
import { TurnstileError } from '../errors.ts'
import { assertRefused } from './bad-input.fixtures.ts'
import { createHouse, openIngress, type TestHouse } from './house.fixtures.ts'
import type { Ingress } from './server.ts'

let house: TestHouse
let ingress: Ingress
beforeEach(async () => {
  house = createHouse()
  ingress = await openIngress(house)
})
afterEach(() => ingress.close())

const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const rowsOf = (count: number): ReadRow[] =>
  Array.from({ length: count }, (_, n) => ({
    partition: n % 7,
    kind: 'ticket',
    id: id(n),
    fields: { ticket_id: id(n) },
  }))
const get = (path: string) => fetch(`${ingress.url}${path}`)

describe('lists', () => {
  for (const path of ['/tickets', '/shows', `/bookings?show_id=${id(1)}`]) {
    test(`${path}: all of it, however long`, async () => {
      for (const count of [0, 1, 1_000, 1_001, 2_500]) {
        house.rows = rowsOf(count)
        const response = await get(path)
        assert.equal(response.headers.get('Content-Type'), 'application/json; charset=utf-8')
        assert.deepEqual([response.status, response.headers.get('Link')], [200, null])
        assert.deepEqual(
          await response.json(),
          house.rows.map(({ fields }) => fields),
        )
      }
    })

    test(`${path}: pages that lead from one to the next`, async () => {
      house.rows = rowsOf(25)
      const seen: unknown[] = []
      const sizes: number[] = []
      let next: string | undefined = `${path}${path.includes('?') ? '&' : '?'}limit=10`
      while (next !== undefined) {
        const response = await get(next)
        const page = (await response.json()) as unknown[]
        seen.push(...page)
        sizes.push(page.length)
        next = /^<(.*)>; rel="next"$/.exec(response.headers.get('Link') ?? '')?.[1]
      }
      assert.deepEqual(sizes, [10, 10, 5])
      assert.deepEqual(
        seen,
        house.rows.map(({ fields }) => fields),
      )
    })
  }

  test('a page that ends with the list leads nowhere; a cursor alone takes a thousand', async () => {
    house.rows = rowsOf(10)
    assert.equal((await get('/tickets?limit=10')).headers.get('Link'), null)
    house.rows = rowsOf(2_000)
    const response = await get(`/tickets?cursor=0.${id(0)}`)
    assert.equal(((await response.json()) as unknown[]).length, 1_000)
    assert.match(
      response.headers.get('Link') ?? '',
      /^<\/tickets\?limit=1000&cursor=6\.00000000-0000-4000-8000-000000001000>/,
    )
  })
})

describe('a stream', () => {
  const away = new TurnstileError('database-unavailable', 'it is away')

  test('of a database that is away is a problem', async () => {
    house.onList = () => Promise.reject(away)
    for (const path of ['/tickets', '/tickets?limit=1', '/ops/bookings'])
      await assertRefused(await get(path), 503, 'unavailable')
  })

  test('of a database that goes away is not taken for complete', async () => {
    house.rows = rowsOf(2_500)
    let reads = 0
    house.onList = async () => {
      if (++reads > 1) throw away
    }
    const response = await get('/tickets')
    assert.equal(response.status, 200)
    await assert.rejects(response.text())
    assert.ok(house.logged.some(({ level, message }) => level === 'warn' && message === 'an answer broke off'))
    house.onList = async () => {}
    assert.equal((await get('/tickets?limit=1')).status, 200)
  })

  test('reads no further than its client does', async () => {
    house.rows = rowsOf(1_000_000)
    let reads = 0
    house.onList = async () => void reads++
    const socket = net.connect(Number(new URL(ingress.url).port), '127.0.0.1')
    socket.write('GET /tickets HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(socket, 'readable')
    // What nobody takes fills the buffers of both sides, and then nothing more is read.
    for (let before = -1; before < reads; await new Promise((resolve) => setTimeout(resolve, 100))) before = reads
    assert.ok(reads < 200, `${reads} pages were read`)
    socket.destroy()
  })
})

describe('ops bookings', () => {
  const ticket = {
    price_amount: '50.30',
    price_currency: 'EUR',
    customer_email: 'ada@example.org',
    confirmed_at: '2026-12-01T09:31:00.000Z',
    refunded_at: '0001-01-01T00:00:00Z',
    printed_at: '0001-01-01T00:00:00Z',
    printed_file_name: '',
    receipt_issued_at: '0001-01-01T00:00:00Z',
    receipt_number: '',
  }
  const at = (hour: number) => `2026-12-01T${hour}:00:00.000Z`
  const made = { booking_id: id(1), booked_at: at(10), last_update: at(11) }
  beforeEach(() => {
    const part = (bookingId: string, kind: string, n: number, fields: object) => ({
      bookingId,
      kind,
      id: id(n),
      fields,
    })
    house.opsRows = [
      part(id(1), 'ticket', 11, { ...ticket, booking_id: id(1), last_update: at(13) }),
      part(id(1), 'booking', 1, made),
      part(id(1), 'ticket', 12, { ...ticket, booking_id: id(1), last_update: at(12) }),
      part(id(2), 'ticket', 13, { ...ticket, booking_id: id(2), last_update: at(12) }),
      part(id(3), 'booking', 3, { ...made, booking_id: id(3) }),
    ]
  })

  test('are put together from their parts, and changed when one of them did', async () => {
    const whole = { ...made, tickets: { [id(11)]: ticket, [id(12)]: ticket }, last_update: at(13) }
    assert.deepEqual(await (await get(`/ops/bookings/${id(1)}`)).json(), whole)
    const alone = { ...made, booking_id: id(3), tickets: {} }
    assert.deepEqual(await (await get('/ops/bookings')).json(), [whole, alone])
    assert.equal((await get('/ops/bookings?receipt_issue_date=2026-12-01')).status, 200)
  })

  test('of a booking that was never made there is none, whatever tickets name it', async () => {
    for (const n of [2, 9]) await assertRefused(await get(`/ops/bookings/${id(n)}`), 404, 'unknown-booking')
  })

  test('are a list of any length', async () => {
    house.opsRows = Array.from({ length: 350 }, (_, n) => {
      return { bookingId: id(n), kind: 'booking', id: id(n), fields: { ...made, booking_id: id(n) } }
    })
    assert.equal(((await (await get('/ops/bookings')).json()) as unknown[]).length, 350)
    house.opsRows = []
    assert.deepEqual(await (await get('/ops/bookings')).json(), [])
  })
})

import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { assertRefused } from './bad-input.fixtures.ts'
import { createHouse, openIngress, type TestHouse } from './house.fixtures.ts'
import type { Ingress } from './server.ts'

/** What stands behind the `?`: an answer that names the field, and nothing read. */

let house: TestHouse
let ingress: Ingress
let reads = 0
before(async () => {
  house = createHouse()
  house.onList = async () => void reads++
  ingress = await openIngress(house)
})
after(() => ingress.close())
afterEach(() => assert.equal(reads, 0, 'a list was read'))

const uuid = '019389c2-4c00-7d2e-9a51-6f1b0c7a8e44'
const hostile = [
  '',
  '%00',
  '%20',
  '__proto__',
  'constructor',
  '%3Cscript%3E',
  '%F0%9F%A6%A9',
  "'%20or%201=1--",
  'x'.repeat(5_000),
]
const limits = [
  ...hostile,
  '0',
  '-1',
  '1001',
  '99999',
  '1.5',
  '1e2',
  '0x10',
  '+5',
  '05',
  '%205',
  'NaN',
  'Infinity',
  '%EF%BC%91',
]
const cursors = [
  ...hostile,
  uuid,
  '1',
  `1.${uuid}0`,
  `-1.${uuid}`,
  `1000.${uuid}`,
  `1.${uuid.toUpperCase()}`,
  `1.${uuid}%00`,
  '1.',
  `.${uuid}`,
]
const days = [
  ...hostile,
  '2026',
  '2026-12',
  '2026-13-01',
  '2026-02-30',
  '2026-1-1',
  '26-12-01',
  '2026-12-01T00:00:00Z',
  '2026/12/01',
  '12026-12-01',
  'today',
]
const ids = [...hostile, '1', uuid.slice(1), `${uuid}0`, `{${uuid}}`, `${uuid}%0a`]

const rows: [path: string, field: string, values: string[]][] = [
  ['/tickets?', 'limit', limits],
  ['/tickets?', 'cursor', cursors],
  ['/shows?', 'limit', limits],
  ['/shows?', 'cursor', cursors],
  ['/bookings?', 'show_id', ids],
  [`/bookings?show_id=${uuid}&`, 'limit', limits],
  [`/bookings?show_id=${uuid}&`, 'cursor', cursors],
  ['/ops/bookings?', 'receipt_issue_date', days],
]
for (const [path, field, values] of rows) {
  describe(`${path}${field}=`, () => {
    for (const value of values) {
      test(value.slice(0, 60) || 'nothing', async () => {
        const response = await fetch(`${ingress.url}${path}${field}=${value}`)
        await assertRefused(response, 400, 'invalid-request', field)
      })
    }

    test('twice', async () => {
      const response = await fetch(`${ingress.url}${path}${field}=1&${field}=1`)
      await assertRefused(response, 400, 'invalid-request', field)
    })
  })
}

test('a parameter that is required', async () => {
  await assertRefused(await fetch(`${ingress.url}/bookings`), 400, 'invalid-request', 'show_id')
})

for (const id of ids) {
  test(`/ops/bookings/${id.slice(0, 60)}`, async () => {
    await assertRefused(await fetch(`${ingress.url}/ops/bookings/${id}`), 400, 'invalid-request', 'booking_id')
  })
}

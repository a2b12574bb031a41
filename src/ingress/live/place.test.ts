import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeEventId, encodePlace, eventIdOf, firstUntold, type Place, readFrom } from './place.ts'

const turn = fc.nat(Number.MAX_SAFE_INTEGER)
const place: fc.Arbitrary<Place> = fc.oneof(
  fc.record({ turn }, { noNullPrototype: true }),
  fc.record({ turn: turn.map((turn) => Math.max(1, turn)), event: fc.nat(1_000) }, { noNullPrototype: true }),
)

test('an id says the places that it is made of, and is fit for a header', () => {
  fc.assert(
    fc.property(fc.array(place, { minLength: 1, maxLength: 64 }), (places) => {
      const id = eventIdOf(places.map(encodePlace))
      assert.match(id, /^[0-9a-z._]+$/)
      assert.deepEqual(decodeEventId(id, places.length), places)
      assert.equal(decodeEventId(id, places.length + 1), undefined)
    }),
  )
  const full = Array(512).fill(encodePlace({ turn: 1_000_000_000 }))
  assert.ok(eventIdOf(full).length < 8_000)
})

test('what is no id of ours is none', () => {
  const bad = [
    '',
    ' ',
    'x y',
    '-1',
    '1.',
    '.1',
    '1.2.3',
    '0.0',
    '1_2',
    '_',
    'A',
    'é',
    '1\0',
    'zzzzzzzzzzz',
    '0123456789ab',
    '1.0000',
  ]
  for (const id of bad) assert.equal(decodeEventId(id, 1), undefined, id)
  assert.equal(decodeEventId('2gosa7pa2gw', 1), undefined, 'past the integers')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 4 }), (text, journals) => {
      const places = decodeEventId(text, journals)
      if (places) assert.equal(places.length, journals)
    }),
  )
})

test('a turn that was told in part is read again, and told on from where it was', () => {
  assert.equal(readFrom({ turn: 5 }), 5)
  assert.equal(readFrom({ turn: 5, event: 1 }), 4)
  assert.equal(firstUntold({ turn: 5, event: 1 }, 5), 2)
  assert.equal(firstUntold({ turn: 5, event: 1 }, 6), 0)
  assert.equal(firstUntold({ turn: 5, event: 1 }, 4), undefined)
  assert.equal(firstUntold({ turn: 5 }, 5), undefined)
  assert.equal(firstUntold({ turn: 5 }, 6), 0)
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { JournaledEvents, Lag } from '../engine/read-model-ports.ts'
import { fold, knownRows } from './fold.ts'
import type { AnyProjection } from './projection.ts'
import { reach, slicesOf, stretchesOf } from './stretches.ts'

type Count = { n: number }

/** Counts; a zero is no row, and a `Broken_v1` cannot be folded. */
const counts = {
  name: 'counts',
  folds: {
    actor: {
      Added_v1: (row: Count | undefined, { by }: { by: number }) => {
        const n = (row?.n ?? 0) + by
        return n === 0 ? undefined : { n }
      },
      Seen_v1: (row: Count | undefined) => row,
      Broken_v1: () => {
        throw new Error('it is broken')
      },
    },
  },
} as AnyProjection

const target = { name: 'counts', projection: counts }
const turn = (position: number, actorId: string, ...events: object[]) =>
  ({ partition: 0, position, kind: 'actor', actorId, version: position + 1, at: '', events }) as JournaledEvents
const added = (by: number) => ({ type: 'Added_v1', by })
const row = (id: string, n: number) => ({ partition: 0, kind: 'actor', id, fields: { n } })

describe('folding', () => {
  test('several turns of one actor are one row', () => {
    const turns = [turn(1, 'a', added(1), added(2)), turn(2, 'b', added(5)), turn(3, 'a', added(4))]
    const stretches = [{ partition: 0, after: 0, upTo: 3 }]
    const load = { target, stretches, turns }
    assert.deepEqual(
      knownRows(load).map(({ id }) => id),
      ['a', 'b'],
    )
    const { changes, faults } = fold(load, [row('b', 1)])
    assert.deepEqual(changes, { name: 'counts', moves: stretches, put: [row('a', 7), row('b', 6)], gone: [] })
    assert.deepEqual(faults, [])
  })

  test('the row of an actor that begins here is not looked for', () => {
    const turns = [{ ...turn(1, 'a', added(1)), version: 1 }, turn(2, 'a', added(1)), turn(3, 'b', added(1))]
    assert.deepEqual(
      knownRows({ target, stretches: [], turns }).map(({ id }) => id),
      ['b'],
    )
  })

  test('nor is one that begins, unless something was there to change', () => {
    const begun = { ...target, projection: { ...counts, begins: { actor: ['Added_v1'] } } }
    const seen = { type: 'Seen_v1' }
    const turns = [turn(1, 'a', added(1)), turn(2, 'a', seen), turn(3, 'b', seen), turn(4, 'b', added(1))]
    assert.deepEqual(
      knownRows({ target: begun, stretches: [], turns }).map(({ id }) => id),
      ['b'],
    )
  })

  test('what ends as it began is not written', () => {
    const turns = [turn(1, 'a', added(1)), turn(2, 'a', added(-1)), turn(3, 'b', { type: 'Seen_v1' })]
    const { changes } = fold({ target, stretches: [], turns }, [row('b', 1)])
    assert.deepEqual([changes.put, changes.gone], [[], []])
  })

  test('a row that is undone is removed', () => {
    const { changes } = fold({ target, stretches: [], turns: [turn(1, 'a', added(-1))] }, [row('a', 1)])
    assert.deepEqual([changes.put, changes.gone], [[], [{ partition: 0, kind: 'actor', id: 'a' }]])
  })

  test('events and kinds that it does not know touch nothing', () => {
    const other = { ...turn(2, 'a', added(1)), kind: 'other' }
    assert.deepEqual(knownRows({ target, stretches: [], turns: [turn(1, 'a', { type: 'Other_v1' }), other] }), [])
  })

  test('a partition with an event that cannot be folded stays as it is; the others go on', () => {
    const turns = [
      turn(1, 'a', added(1)),
      turn(2, 'b', { type: 'Broken_v1' }),
      turn(3, 'a', added(1)),
      { ...turn(1, 'c', added(1)), partition: 1 },
    ]
    const stretches = [
      { partition: 0, after: 0, upTo: 3 },
      { partition: 1, after: 0, upTo: 1 },
    ]
    const { changes, faults } = fold({ target, stretches, turns }, [])
    assert.deepEqual(changes.moves, [stretches[1]])
    assert.deepEqual(changes.put, [{ ...row('c', 1), partition: 1 }])
    assert.deepEqual(
      faults.map(({ name, partition, position }) => [name, partition, position]),
      [['counts', 0, 2]],
    )
  })
})

describe('what is read', () => {
  const lag = fc
    .record({ name: fc.string(), partition: fc.nat(3), position: fc.nat(20) })
    .map((lag): Lag => ({ ...lag, head: 21 + lag.partition }))

  test('is no turn twice, and for each the next ones without a gap', () => {
    fc.assert(
      fc.property(fc.array(lag, { minLength: 1 }), fc.integer({ min: 1, max: 60 }), (lags, most) => {
        const stretches = stretchesOf(lags, most)
        const positions = stretches.flatMap(({ partition, after, upTo }) =>
          Array.from({ length: upTo - after }, (_, i) => `${partition}/${after + i + 1}`),
        )
        assert.equal(new Set(positions).size, positions.length)
        assert.ok(positions.length <= Math.max(most, stretches.length))
        for (const one of lags) {
          const { after, upTo } = reach(one, stretches)
          assert.ok(after === one.position && upTo > after && upTo <= one.head)
          for (let at = after + 1; at <= upTo; at++) assert.ok(positions.includes(`${one.partition}/${at}`))
        }
      }),
    )
  })

  test('lets one that is behind catch up with the others in one step', () => {
    const lags = [
      { name: 'slow', partition: 0, position: 10, head: 50 },
      { name: 'fast', partition: 0, position: 40, head: 50 },
    ]
    const stretches = stretchesOf(lags, 1_000)
    assert.deepEqual(stretches, [
      { partition: 0, after: 10, upTo: 40 },
      { partition: 0, after: 40, upTo: 50 },
    ])
    assert.deepEqual(
      lags.map((lag) => reach(lag, stretches).upTo),
      [50, 50],
    )
  })

  test('is cut into slices of about the same size, a partition in one of them', () => {
    const lags = fc.uniqueArray(lag, { selector: ({ name, partition }) => `${name}/${partition}` })
    fc.assert(
      fc.property(lags, fc.integer({ min: 1, max: 5 }), (lags, count) => {
        const sorted = lags.toSorted((a, b) => a.partition - b.partition)
        const slices = slicesOf(sorted, count)
        assert.deepEqual(slices.flat(), sorted)
        assert.ok(slices.length <= count && slices.every((slice) => slice.length > 0))
        const homes = slices.map((slice) => new Set(slice.map(({ partition }) => partition)))
        assert.equal(new Set(sorted.map(({ partition }) => partition)).size, homes.flatMap((home) => [...home]).length)
      }),
    )
    const even = Array.from({ length: 64 }, (_, partition) => ({ name: 'one', partition, position: 5, head: 15 }))
    assert.deepEqual(
      slicesOf(even, 8).map(({ length }) => length),
      Array(8).fill(8),
    )
  })
})

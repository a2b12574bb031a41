import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import fc from 'fast-check'
import type { PartitionRow, TurnRecord } from '../engine/ports.ts'
import type { LiveProjections, Stretch } from '../engine/read-model-ports.ts'
import { MemoryStore } from '../store/memory.ts'
import { MemoryProjections } from '../store/memory-projections.ts'
import { afterwards, batchOf, claimed } from '../store/store.fixtures.ts'
import { RecentTurns } from './recent-turns.ts'

const kinds = ['booking', 'ticket']
const ignored: Partial<TurnRecord> = { decision: { outcome: 'ignored', because: 'it is known' } }

let store: MemoryStore
let rows: PartitionRow[]
let journal: LiveProjections
/** Of another process. */
let other: LiveProjections
let recent: RecentTurns
let projector: LiveProjections
/** What was read from the journal. */
let read: Stretch[]

beforeEach(() => start())

/** A journal of three partitions, and a projector that leads. */
async function start(): Promise<void> {
  store = new MemoryStore(3, () => 0)
  rows = await claimed(store, 'anna', 0, 1, 2)
  const projections = new MemoryProjections(store)
  journal = projections.connect()
  other = projections.connect()
  recent = new RecentTurns()
  read = []
  projector = recent.before({
    ...journal,
    readEvents(stretches, kinds) {
      read.push(...stretches)
      return journal.readEvents(stretches, kinds)
    },
  })
  await projector.lead()
}

/** @returns what it added to the journal */
async function commit(id: number, turns: Partial<TurnRecord>[], isNoted = true): Promise<Stretch> {
  const batch = batchOf(rows[id] as PartitionRow, ...turns)
  await store.commit(batch)
  const { head } = rows[id] as PartitionRow
  rows[id] = afterwards(rows[id] as PartitionRow, batch)
  if (isNoted) recent.note(batch.turns)
  return { partition: id, after: head, upTo: head + turns.length }
}

/** What the projector gets must be what the journal says. */
async function same(...stretches: Stretch[]): Promise<void> {
  assert.deepEqual(await projector.readEvents(stretches, kinds), await journal.readEvents(stretches, kinds))
}

describe('turns that were just committed', () => {
  test('are not read back, and are given once', async () => {
    const first = await commit(1, [{}, ignored, { kind: 'show' }])
    const next = await commit(1, [{ kind: 'ticket' }])
    const all = { ...first, upTo: next.upTo }
    await same(all)
    assert.deepEqual(read, [])
    await same(all)
    assert.deepEqual(read, [all])
  })

  test('of another process, or of a commit whose end nobody knows, are read from the journal', async () => {
    const own = await commit(0, [{}, {}])
    await commit(0, [{}], false)
    const later = await commit(0, [{}])
    const elsewhere = await commit(2, [{}])
    const all = { ...own, upTo: later.upTo }
    await same(all, elsewhere)
    assert.deepEqual(read, [all])
    await same(await commit(0, [{}]))
    assert.deepEqual(read, [all])
  })

  test('come in order where one of two stretches of a partition is not here', async () => {
    const own = await commit(0, [{}, {}])
    const foreign = await commit(0, [{}, {}], false)
    await same(own, foreign)
    assert.deepEqual(read, [foreign])
  })

  test('are not kept while another process leads', async () => {
    await projector.close()
    await other.lead()
    assert.equal(await projector.lead(), false)
    const own = await commit(0, [{}])
    await same(own)
    assert.deepEqual(read, [own])
  })

  test('are not kept without end, but not all forgotten at once', async () => {
    const turns = Array.from({ length: 5_000 }, () => ({}))
    const first = await commit(0, turns)
    const second = await commit(1, turns)
    for (let i = 0; i < 3; i++) await commit(1, turns)
    await same(first)
    assert.deepEqual(read, [])
    await same(second)
    assert.deepEqual(read, [second])
  })

  test('whatever is noted and read when, are what the journal says', async () => {
    const step = fc.record({
      partition: fc.nat(2),
      turns: fc.integer({ min: 1, max: 4 }),
      isNoted: fc.boolean(),
      isRead: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        await start()
        const positions = [0, 0, 0]
        for (const { partition, turns, isNoted, isRead } of steps) {
          const { upTo } = await commit(partition, Array(turns).fill({}), isNoted)
          if (!isRead) continue
          await same({ partition, after: positions[partition] as number, upTo })
          positions[partition] = upTo
        }
      }),
    )
  })
})

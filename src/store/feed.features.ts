import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Feed, PartitionRow, Store, TurnEvents, TurnRecord } from '../engine/ports.ts'
import type { StoreHarness } from './store.features.ts'
import { batchOf, claimed, joined, one, stateAfter } from './store.fixtures.ts'

/** What every store tells those who listen. */
export function feedFeatures(name: string, open: () => Promise<StoreHarness>): void {
  describe(`${name}: the feed`, () => {
    let harness: StoreHarness
    let store: Store
    let feed: Feed
    beforeEach(async () => {
      harness = await open()
      store = harness.store
      feed = harness.feed
    })
    afterEach(() => harness.close())

    const own = async (): Promise<PartitionRow> => one(await claimed(store, 'anna', 0))

    it('tells what happened in the turns of partitions, of each in order and no more than asked for', async () => {
      const [first, second] = await claimed(store, 'anna', 1, 2)
      assert.ok(first && second)
      const batch = joined(batchOf(first, {}, {}, {}), batchOf(second, {}, {}))
      await store.commit(batch)
      assert.deepEqual(await feed.heads(), [0, 3, 2, 0])
      const seen = [
        { partition: 1, after: 1 },
        { partition: 2, after: 0 },
        { partition: 3, after: 0 },
      ]
      assert.deepEqual(await feed.turnsAfter(seen, 10), batch.turns.slice(1).map(eventsOf))
      const [, two, , four] = batch.turns
      assert.ok(two && four)
      assert.deepEqual(await feed.turnsAfter(seen, 1), [eventsOf(two), eventsOf(four)])
      assert.deepEqual(await feed.turnsAfter([{ partition: 1, after: 3 }], 10), [])
      assert.deepEqual(await feed.turnsAfter([], 10), [])
    })

    it('tells what happened in the turns of actors, of each in order and no more than asked for', async () => {
      const [booking, other] = [randomUUID(), randomUUID()]
      const batch = batchOf(
        await own(),
        { actorId: booking },
        { actorId: other },
        { actorId: booking, version: 2 },
        { actorId: booking, kind: 'show' },
        { actorId: booking, version: 3 },
      )
      batch.states = batch.turns
        .slice(1)
        .map(stateAfter)
        .filter(({ version }) => version !== 2)
      assert.deepEqual(await store.commit(batch), { outcome: 'committed' })
      const [one, two, three, , five] = batch.turns
      assert.ok(one && two && three && five)
      const seenOf = (id: string, after: number) => ({ partition: 0, kind: 'booking', id, after })
      const tell = async (limit: number, ...seen: ReturnType<typeof seenOf>[]) => {
        return byPosition(await feed.turnsOf(seen, limit))
      }
      assert.deepEqual(await tell(10, seenOf(booking, 0), seenOf(other, 0)), [one, two, three, five].map(eventsOf))
      assert.deepEqual(await feed.turnsOf([seenOf(booking, 0)], 10), [one, three, five].map(eventsOf))
      assert.deepEqual(await tell(1, seenOf(booking, 1), seenOf(other, 0)), [two, three].map(eventsOf))
      assert.deepEqual(await tell(10, seenOf(booking, 3), seenOf(other, 7), seenOf(randomUUID(), 0)), [])
      assert.deepEqual(await feed.turnsOf([], 10), [])
    })

    it('says how much of a journal is archived, and leaves that out', async () => {
      const [booking, other] = [randomUUID(), randomUUID()]
      const batch = batchOf(
        await own(),
        { actorId: booking },
        { actorId: other },
        { actorId: booking, version: 2 },
        { actorId: booking, version: 3 },
      )
      await store.commit(batch)
      const address = { partition: 0, kind: 'booking', id: booking }
      assert.deepEqual([await feed.archivedOf(address), await feed.archivedUpTo()], [0, [0, 0, 0, 0]])
      await harness.archive({ ...address, version: 2, before: '2030-01-01T00:00:00.000Z' })
      assert.deepEqual([await feed.archivedOf(address), await feed.archivedUpTo()], [2, [3, 0, 0, 0]])
      const places = async (after: number, limit: number) =>
        (await feed.turnsAfter([{ partition: 0, after }], limit)).map(({ position }) => position)
      assert.deepEqual(
        [await places(0, 10), await places(0, 1), await places(2, 10), await places(3, 1)],
        [[2, 4], [2], [4], [4]],
      )
      assert.deepEqual(
        (await feed.turnsOf([{ ...address, after: 0 }], 10)).map(({ version }) => version),
        [3],
      )
    })

    it('tells which events are public, and of nothing where nothing happened', async () => {
      const events = [{ type: 'Quiet_v1' }, { type: 'BookingMade_v1', show_id: 'Ünï 🎫' }]
      const publishes = [{ messageId: randomUUID(), index: 1 }]
      const batch = batchOf(
        await own(),
        { decision: { outcome: 'accepted', events, publishes } },
        { decision: { outcome: 'refused', because: 'sold-out' } },
      )
      await store.commit(batch)
      const told = await feed.turnsAfter([{ partition: 0, after: 0 }], 10)
      assert.deepEqual(
        told.map(({ events, publishes }) => ({ events, publishes })),
        [
          { events, publishes },
          { events: [], publishes: [] },
        ],
      )
    })
  })
}

const eventsOf = ({ message: _, meta: __, decision, ...turn }: TurnRecord): TurnEvents => {
  return { ...turn, events: decision.events ?? [], publishes: decision.publishes ?? [] }
}
const byPosition = (turns: TurnEvents[]): TurnEvents[] => turns.sort((a, b) => a.position - b.position)

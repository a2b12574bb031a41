import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Commit, PartitionRow, Store, Wake } from '../engine/ports.ts'
import type { StoreHarness } from './store.features.ts'
import { afterwards, batchOf, claimed, one } from './store.fixtures.ts'

/** What every store does with alarms. */
export function alarmFeatures(name: string, open: () => Promise<StoreHarness>): void {
  describe(`${name}: alarms`, () => {
    let harness: StoreHarness
    let store: Store
    let row: PartitionRow
    beforeEach(async () => {
      harness = await open()
      store = harness.store
      row = one(await claimed(store, 'anna', 0))
    })
    afterEach(() => harness.close())

    /** Commits a turn of this actor that leaves it with this alarm. */
    async function turn(actorId: string, version: number, wake?: Wake): Promise<void> {
      const armed = Number(wake !== undefined) - Number(version > 1)
      const batch = batchOf(row, { actorId, version })
      batch.partitions = batch.partitions.map((position) => ({ ...position, armed }))
      batch.states = batch.states.map((state) => ({ ...state, ...(wake && { wake }) }))
      await commit(batch)
    }

    async function commit(batch: Commit): Promise<void> {
      assert.deepEqual(await store.commit(batch), { outcome: 'committed' })
      row = afterwards(row, batch)
    }

    const due = async (partitions = [0], limit = 10) =>
      (await store.dueAlarms(partitions, limit)).map(({ nowMs: _, ...alarm }) => alarm)
    const addressOf = (id: string) => ({ partition: 0, kind: 'booking', id })

    it('names those that have gone off, the oldest first, with their stories', async () => {
      const [early, late, future] = [randomUUID(), randomUUID(), randomUUID()]
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
      const wakes: Record<string, Wake> = {
        [late]: { at: '1969-02-03T04:05:06.789Z', correlationId: 'late' },
        [early]: { at: '1969-02-03T04:05:06.788Z', correlationId: 'early', traceparent },
        [future]: { at: '2999-01-01T00:00:00.000Z', correlationId: 'future' },
      }
      for (const [id, wake] of Object.entries(wakes)) await turn(id, 1, wake)
      const expected = [early, late].map((id) => ({ ...addressOf(id), ...(wakes[id] as Wake) }))
      assert.deepEqual(await due(), expected)
      assert.deepEqual(await due([0], 1), expected.slice(0, 1))
      assert.deepEqual(await due([1, 2, 3]), [])
      assert.deepEqual(await due([]), [])
      assert.deepEqual(one(await store.load([addressOf(early)])).wake, wakes[early])
      assert.equal(one(await store.readPartitions([0])).armed, 3)
    })

    it('goes by the clock of the store', async () => {
      await turn(randomUUID(), 1, { at: '1969-02-03T04:05:06.789Z', correlationId: 'a story' })
      const alarm = one(await store.dueAlarms([0], 1))
      assert.ok(alarm.nowMs > Date.parse(alarm.at))
    })

    it('moves an alarm with the state that wants it, and takes it off with one that wants none', async () => {
      const id = randomUUID()
      const wake = { at: '1969-02-03T04:05:06.789Z', correlationId: 'a story' }
      await turn(id, 1, wake)
      await turn(id, 2, { ...wake, at: '2999-01-01T00:00:00.000Z' })
      assert.deepEqual(await due(), [])
      await turn(id, 3)
      assert.deepEqual(one(await store.load([addressOf(id)])).wake, undefined)
      assert.equal(one(await store.readPartitions([0])).armed, 0)
    })

    it('takes an alarm off without a turn, and leaves the state alone', async () => {
      const [id, other] = [randomUUID(), randomUUID()]
      const wake = { at: '1969-02-03T04:05:06.789Z', correlationId: 'a story' }
      for (const each of [id, other]) await turn(each, 1, wake)
      const before = one(await store.load([addressOf(id)]))
      const batch = batchOf(row)
      const position = { ...one(batch.partitions), armed: -1 }
      await commit({ ...batch, partitions: [position], disarmed: [addressOf(id)] })
      const { wake: _, ...without } = before
      assert.deepEqual(one(await store.load([addressOf(id)])), without)
      assert.deepEqual(
        (await due()).map((alarm) => alarm.id),
        [other],
      )
    })

    it('takes none off when the commit is fenced', async () => {
      const id = randomUUID()
      await turn(id, 1, { at: '1969-02-03T04:05:06.789Z', correlationId: 'a story' })
      const stale = { ...batchOf({ ...row, epoch: row.epoch - 1 }), disarmed: [addressOf(id)] }
      assert.deepEqual(await store.commit(stale), { outcome: 'fenced', partitions: [0] })
      assert.equal((await due()).length, 1)
    })
  })
}

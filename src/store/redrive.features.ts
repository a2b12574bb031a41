import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { PartitionRow, Store, StreamMark } from '../engine/ports.ts'
import type { RedriveOrder, RedriveStore } from '../engine/redrive-ports.ts'
import type { StoreHarness } from './store.features.ts'
import { batchOf, claimed, letterOf, one, stream, turnOf } from './store.fixtures.ts'

/** What every store knows of what the broker has lost. */
export function redriveFeatures(name: string, open: () => Promise<StoreHarness>): void {
  describe(`${name}: redrives`, () => {
    let harness: StoreHarness
    let store: Store
    let redrives: RedriveStore
    let row: PartitionRow
    beforeEach(async () => {
      harness = await open()
      store = harness.store
      redrives = harness.redrives
      row = one(await claimed(store, 'anna', 0))
      await store.commit(batchOf(row, {}, {}, {}))
    })
    afterEach(() => harness.close())

    const markOf = async (name: string): Promise<StreamMark> =>
      one((await store.readStreams()).filter((mark) => mark.name === name))
    const lose = async (eventsKeptMs?: number): Promise<boolean> => {
      await store.noteStream('effects', { id: 'old', lastSequence: 9 }, undefined)
      return store.noteLoss(await markOf('effects'), { id: 'new', lastSequence: 2 }, eventsKeptMs)
    }
    /** What is due after a while. */
    const due = async (): Promise<RedriveOrder[]> => {
      await harness.passTime(10_000)
      return redrives.orders([0, 1, 2, 3])
    }

    describe('streams', () => {
      it('are known once they are noted, and only go forward', async () => {
        assert.deepEqual(await store.readStreams(), [])
        for (const lastSequence of [5, 9, 7]) await store.noteStream('events', { id: 'e', lastSequence }, undefined)
        assert.deepEqual(await markOf('events'), { name: 'events', id: 'e', lastSequence: 9, losses: 0 })
      })

      it('are as far as the cursors, whoever looked last', async () => {
        await store.noteStream('mailbox', { id: stream.id, lastSequence: 1 }, undefined)
        await store.noteStream('effects', { id: stream.id, lastSequence: 1 }, undefined)
        assert.deepEqual([(await markOf('mailbox')).lastSequence, (await markOf('effects')).lastSequence], [3, 1])
        await store.noteLoss(await markOf('mailbox'), { id: 'another', lastSequence: 2 }, undefined)
        assert.equal((await markOf('mailbox')).lastSequence, 2)
      })

      it('are lost once, however many find out', async () => {
        await store.noteStream('effects', { id: 'old', lastSequence: 9 }, undefined)
        const seen = await markOf('effects')
        const now = { id: 'old', lastSequence: 2 }
        assert.deepEqual([await store.noteLoss(seen, now, 0), await store.noteLoss(seen, now, 0)], [true, false])
        // Who looked before that knows nothing new.
        await store.noteStream('effects', { id: 'old', lastSequence: 9 }, seen)
        assert.deepEqual(await markOf('effects'), { name: 'effects', ...now, losses: 1 })
      })
    })

    describe('a loss', () => {
      it('orders every partition to be redriven up to its head, after a while', async () => {
        assert.deepEqual(await redrives.orders([0]), [])
        await lose()
        assert.deepEqual(await redrives.orders([0]), [])
        const orders = await due()
        const order = { settled: 0, position: null, eventsSince: null, round: 1 }
        assert.deepEqual(
          orders,
          [3, 0, 0, 0].map((upTo, partition) => ({ partition, upTo, ...order })),
        )
        assert.deepEqual(await redrives.orders([2]), [orders[2]])
      })

      it('of the mailbox frees the partitions, to be read from the beginning; of another stream it does not', async () => {
        await lose()
        assert.deepEqual(one(await store.readPartitions([0])), { ...row, head: 3, cursor: 3 })
        await store.noteStream('mailbox', stream, undefined)
        await store.noteLoss(await markOf('mailbox'), { ...stream, lastSequence: 1 }, undefined)
        assert.deepEqual(one(await store.readPartitions([0])), {
          ...row,
          head: 3,
          cursor: 0,
          epoch: row.epoch + 1,
          owner: null,
        })
      })

      it('of events names the time from which they are lost', async () => {
        await lose(60_000)
        const [order] = await due()
        const ageMs = Date.now() - Date.parse(order?.eventsSince ?? '')
        // One of the stores has a clock that begins with the test.
        assert.ok(order?.eventsSince && (ageMs > Date.now() - 100_000 || (ageMs >= 60_000 && ageMs < 90_000)))
      })
    })

    describe('a redrive', () => {
      const first = async (): Promise<RedriveOrder> => {
        await lose(60_000)
        return (await due())[0] as RedriveOrder
      }

      it('goes on from where it was, and ends at its end', async () => {
        const order = await first()
        await redrives.noteRedriven({ ...order, position: 2, settled: 1 })
        assert.deepEqual((await redrives.orders([0]))[0], { ...order, position: 2, settled: 1 })
        await redrives.noteRedriven({ ...order, position: 3, settled: 1 })
        assert.deepEqual(await redrives.orders([0]), [])
        assert.equal((await redrives.standings())[0]?.settled, 1)
      })

      it('that is ordered anew meanwhile begins anew, behind what is settled', async () => {
        const order = await first()
        await redrives.noteRedriven({ ...order, position: 2, settled: 2 })
        await store.noteLoss(await markOf('effects'), { id: 'newer', lastSequence: 0 }, undefined)
        await redrives.noteRedriven({ ...order, position: 3, settled: 2 })
        const { eventsSince } = order
        assert.deepEqual(
          [(await due())[0]],
          [{ partition: 0, settled: 2, position: null, upTo: 3, eventsSince, round: 2 }],
        )
      })
    })

    it('what is settled stays settled', async () => {
      for (const settled of [2, 1]) await redrives.noteSettled(0, settled)
      const standings = await redrives.standings()
      assert.deepEqual(standings[0], { partition: 0, settled: 2, published: 0 })
      assert.deepEqual(standings[1], { partition: 1, settled: 0, published: 0 })
    })

    describe('a taker', () => {
      const message = { partition: 0, kind: 'booking', id: randomUUID(), messageId: randomUUID() }
      const key = { ...message, sentAt: '2030-01-02T00:00:00.000Z' }

      it('is the turn of that message, at that actor', async () => {
        const current = one(await store.readPartitions([0]))
        await store.commit(batchOf(current, turnOf({ ...message, actorId: key.id, position: 4 })))
        const others = [{ messageId: randomUUID() }, { id: randomUUID() }, { kind: 'ticket' }, { partition: 1 }]
        const asked = [key, ...others.map((other) => ({ ...key, ...other }))]
        assert.deepEqual(await redrives.findTakers(asked), [{ ...message, by: 'turn' }])
        assert.deepEqual(await redrives.findTakers([]), [])
      })

      it('is in the archive, when it was sent before what has been archived was settled', async () => {
        const current = one(await store.readPartitions([0]))
        const turn = turnOf({ ...message, actorId: key.id, position: 4 })
        await store.commit(batchOf(current, turn))
        await harness.archive({ ...message, version: turn.version, before: '2030-01-02T00:00:00.001Z' })
        assert.deepEqual(await redrives.findTakers([key]), [{ ...message, by: 'turn' }])
        assert.deepEqual(await redrives.findTakers([{ ...key, sentAt: '2030-01-02T00:00:00.001Z' }]), [])
      })

      it('is a dead letter, unless it was sent back', async () => {
        const letter = letterOf({ ...key, kind: 'payments', actorId: key.id })
        await store.keepDeadLetter(letter)
        const asked = [{ ...key, kind: 'payments' }, key]
        const by = async () => (await redrives.findTakers(asked)).map(({ kind, by }) => `${kind}: ${by}`)
        assert.deepEqual(await by(), ['payments: open letter'])
        await harness.settleLetter(letter, 'discarded')
        assert.deepEqual(await by(), ['payments: discarded letter'])
        await harness.settleLetter(letter, 'requeued')
        assert.deepEqual(await by(), [])
      })
    })
  })
}

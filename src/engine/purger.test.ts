import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { PartitionRow, StreamState, StreamStates } from './ports.ts'
import { Purger } from './purger.ts'

let stream: StreamState
/** The sequences that the stream holds, by partition. */
let held: number[][]
let rows: PartitionRow[]
let purges: number[]
/** What was asked of the partition in the middle. */
let asked: number[]
let onLook: () => void
let nowMs: number
let purger: Purger

const row = (id: number, cursor: number): PartitionRow => {
  return { id, epoch: 1, owner: 'anna', cursor, stream: 'one', head: 0, published: 0, armed: 0 }
}
/** A minute after the last one. */
const purge = (): Promise<void> => {
  nowMs += 60_000
  return purger.purge(rows.map(({ id }) => id))
}

beforeEach(() => {
  stream = { id: 'one', lastSequence: 9 }
  held = [[3, 8], [5], [9]]
  rows = [row(0, 8), row(1, 5), row(2, 9)]
  purges = []
  asked = []
  nowMs = 0
  onLook = () => {}
  const look = async (): Promise<StreamStates> => {
    const state = { ...stream }
    onLook()
    return { mailbox: state, effects: state, events: state }
  }
  purger = new Purger({ look }, 60_000, {
    clock: { monotonicMs: () => nowMs },
    store: { readPartitions: async (ids) => ids.map((id) => rows[id] ?? row(id, 0)) },
    mailboxes: {
      async firstBehind(partition, cursor) {
        if (partition === 1) asked.push(cursor)
        return held[partition]?.find((sequence) => sequence > cursor)
      },
      async purge(sequence) {
        purges.push(sequence)
        held = held.map((lane) => lane.filter((one) => one >= sequence))
      },
    },
  })
})

describe('a purge', () => {
  test('reaches as far as the stream went, when everything has been decided', async () => {
    await purge()
    assert.deepEqual(purges, [9])
    assert.deepEqual(held, [[], [], [9]], 'the last one stays')
  })

  test('reaches as far as the first message that still waits', async () => {
    rows = [row(0, 3), row(1, 5), row(2, 9)]
    await purge()
    assert.deepEqual(purges, [7])
    assert.deepEqual(held, [[8], [], [9]])
  })

  test('leaves alone what comes after its look', async () => {
    onLook = () => {
      held = [[3, 8], [5], [9, 12]]
      rows = [row(0, 8), row(1, 5), row(2, 12)]
    }
    await purge()
    assert.deepEqual(purges, [9])
  })

  test('takes no cursor for one of another stream', async () => {
    rows = [row(0, 8), { ...row(1, 8), stream: 'another' }, row(2, 9)]
    await purge()
    assert.deepEqual(purges, [4])
  })

  test('waits for a large piece, or its time', async () => {
    const partitions = rows.map(({ id }) => id)
    nowMs += 59_999
    await purger.purge(partitions)
    assert.deepEqual(purges, [])
    nowMs += 1
    await purger.purge(partitions)
    assert.deepEqual(purges, [9])
    stream = { id: 'one', lastSequence: 250_008 }
    await purger.purge(partitions)
    assert.deepEqual(purges, [9])
    stream = { id: 'one', lastSequence: 250_009 }
    held = [[100], [], []]
    await purger.purge(partitions)
    assert.deepEqual(purges, [9], 'much is there, and little of it decided')
    rows = [row(0, 100), row(1, 5), row(2, 9)]
    await purger.purge(partitions)
    assert.deepEqual(purges, [9, 250_009])
  })

  test('is not made where one was made before', async () => {
    await purge()
    await purge()
    assert.deepEqual(purges, [9])
    stream = { id: 'two', lastSequence: 2 }
    held = [[1], [2], []]
    rows = [row(0, 1), row(1, 2), row(2, 0)].map((one) => ({ ...one, epoch: 2, stream: 'two' }))
    await purge()
    assert.deepEqual(purges, [9, 2])
  })

  test('looks behind what was passed before, not behind a cursor that stands still', async () => {
    await purge()
    stream = { id: 'one', lastSequence: 20 }
    await purge()
    rows = rows.map((one) => ({ ...one, epoch: 2, cursor: 0 }))
    await purge()
    assert.deepEqual(
      asked,
      [5, 9, 0],
      'but after the partition was taken anew, for then the stream may have lost its end',
    )
  })
})

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { Commit, DeadLetter, PartitionRow, Store, StoredActor, TurnRecord } from '../engine/ports.ts'

/** Makes batches for the tests of the stores. What a test does not name is made up, and fits. */

/** The next commit on top of `row`: these turns, and the states that they lead to. */
export function batchOf(row: PartitionRow, ...turns: Partial<TurnRecord>[]): Commit {
  const records = turns.map((turn, index) => turnOf({ partition: row.id, position: row.head + index + 1, ...turn }))
  const { id, epoch, head, cursor, published } = row
  return {
    partitions: [
      { id, epoch, head, turns: turns.length, from: cursor, cursor: cursor + turns.length, published, armed: 0 },
    ],
    turns: records,
    states: [...new Map(records.map((turn) => [turn.actorId, stateAfter(turn)])).values()],
    deadLetters: [],
    disarmed: [],
    pauses: [],
  }
}

/** The row as `batch` leaves it. */
export function afterwards(row: PartitionRow, batch: Commit): PartitionRow {
  const own = batch.partitions.find(({ id }) => id === row.id)
  return own
    ? { ...row, head: own.head + own.turns, cursor: own.cursor, published: own.published, armed: row.armed + own.armed }
    : row
}

/** Both in one commit. */
export function joined(one: Commit, other: Commit): Commit {
  return {
    partitions: [...one.partitions, ...other.partitions],
    turns: [...one.turns, ...other.turns],
    states: [...one.states, ...other.states],
    deadLetters: [...one.deadLetters, ...other.deadLetters],
    disarmed: [...one.disarmed, ...other.disarmed],
    pauses: [...one.pauses, ...other.pauses],
  }
}

export function turnOf(given: Partial<TurnRecord>): TurnRecord {
  return {
    partition: 0,
    position: 1,
    kind: 'booking',
    actorId: randomUUID(),
    version: 1,
    messageId: randomUUID(),
    at: '2030-01-02T03:04:05.678Z',
    message: { type: 'BookShowTickets' },
    meta: { correlationId: 'a story' },
    decision: { outcome: 'accepted', events: [{ type: 'BookingRequested_v1' }] },
    ...given,
  }
}

export const stateAfter = ({ partition, kind, actorId, version }: TurnRecord): StoredActor => {
  return { partition, kind, id: actorId, version, state: { status: 'open', turns: version } }
}

export function letterOf(given: Partial<DeadLetter>): DeadLetter {
  return {
    partition: 0,
    kind: 'booking',
    actorId: 'not an id',
    type: 'BookShowTickets',
    messageId: randomUUID(),
    code: 'message-unparsable',
    cause: 'it is not JSON',
    payload: Uint8Array.of(0, 10, 255),
    headers: { 'Correlation-ID': 'a story' },
    meta: { correlationId: 'a story' },
    at: '2030-01-02T03:04:05.678Z',
    ...given,
  }
}

/** A stream that goes on for longer than any test. */
export const stream = { id: 'stream-1', lastSequence: 1_000_000 }

/** A live worker's partitions, ready to commit to. */
export async function claimed(store: Store, worker: string, ...ids: number[]): Promise<PartitionRow[]> {
  await store.heartbeat(worker, 10_000, 0)
  const rows = await store.claim(worker, ids, stream)
  return rows.sort((a, b) => a.id - b.id)
}

export function one<T>(rows: T[]): T {
  assert.equal(rows.length, 1)
  return rows[0] as T
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { Clock, TurnRecord } from '../engine/ports.ts'
import type { LiveProjections } from '../engine/read-model-ports.ts'
import { MemoryStore } from '../store/memory.ts'
import { MemoryProjections } from '../store/memory-projections.ts'
import { batchOf, claimed } from '../store/store.fixtures.ts'
import type { AnyProjection } from './projection.ts'
import { Projector } from './projector.ts'

const seen: AnyProjection = { name: 'seen', folds: { actor: { Seen_v1: () => ({ isSeen: true }) } } }
const turn: Partial<TurnRecord> = { kind: 'actor', decision: { outcome: 'accepted', events: [{ type: 'Seen_v1' }] } }
const ignore = () => {}
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore }

/**
 * What a projector writes of so many turns in each of 64 partitions, until it has them all: when, and of how many partitions.
 * Time passes while it sleeps only.
 */
async function writesOf(turns: number): Promise<{ atMs: number; partitions: number }[]> {
  const store = new MemoryStore(64, () => 0)
  const rows = await claimed(store, 'anna', ...Array.from({ length: 64 }, (_, id) => id))
  for (const row of rows) await store.commit(batchOf(row, ...Array(turns).fill(turn)))
  let nowMs = 0
  const clock: Clock = {
    monotonicMs: () => nowMs,
    async sleep(ms) {
      nowMs += ms
      await setImmediate()
    },
  }
  const session = new MemoryProjections(store).connect()
  const writes: { atMs: number; partitions: number }[] = []
  const live: LiveProjections = {
    ...session,
    write(changes) {
      writes.push({ atMs: nowMs, partitions: new Set(changes.flatMap(({ moves }) => moves)).size })
      return session.write(changes)
    },
  }
  let told: () => void = ignore
  const caughtUp = new Promise<void>((resolve) => (told = resolve))
  const observer = { projectionLag: (_: string, behind: number) => void (behind === 0 && told()) }
  const projector = new Projector({ projections: [seen], store: live, clock, log, observer })
  projector.start()
  await caughtUp
  await projector.stop()
  return writes
}

test('much is taken in slices with pauses between them, in which others have their turn', async () => {
  const writes = await writesOf(30)
  assert.deepEqual(
    writes.map(({ atMs }) => atMs),
    [0, 62.5, 125, 187.5, 250, 312.5, 375, 437.5],
  )
  assert.deepEqual(
    writes.map(({ partitions }) => partitions),
    Array(8).fill(8),
  )
})

test('little is taken at once', async () => {
  assert.deepEqual(await writesOf(2), [{ atMs: 0, partitions: 64 }])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { actors } from '../../actors/index.ts'
import { deriveId } from '../actor/ids.ts'
import type { TurnRecord } from '../engine/ports.ts'
import type { ArchiveStore } from '../store/archive.ts'
import { turnOf } from '../store/store.fixtures.ts'
import { compareTurns } from './lives.ts'
import { oldTurns, type Tally } from './old-turns.ts'

const idOf = (name: string): string => deriveId('an actor', name)
const young = '2030-06-01T00:00:00.000Z'

/** Actors that have ended, each with so many turns; position by position it is everybody's turn. */
function journalOf(
  lives: Record<string, number>,
  change: (turn: TurnRecord, name: string) => TurnRecord = (turn) => turn,
) {
  const turns: TurnRecord[] = []
  for (let version = 1; version <= Math.max(...Object.values(lives)); version++)
    for (const [name, count] of Object.entries(lives))
      if (version <= count)
        turns.push(change(turnOf({ actorId: idOf(name), version, position: turns.length + 1 }), name))
  return turns
}

/** What an archiver reads of such a journal; nothing else is asked for. */
function storeOf(turns: TurnRecord[], archived: Record<string, number> = {}): ArchiveStore {
  const store: Partial<ArchiveStore> = {
    places: async (_, after, upTo, limit) =>
      turns
        .filter(({ position }) => position > after && position <= upTo)
        .slice(0, limit)
        .map(({ kind, actorId: id, position, at }) => ({ kind, id, position, at })),
    residents: async (_, addresses) =>
      addresses.map((address) => {
        return { ...address, state: { status: 'unknown' }, archived: archived[address.id] ?? 0, isWaiting: false }
      }),
    turnsOf: async (_, wanted, limit) =>
      wanted
        .flatMap(({ id, after }) =>
          turns
            .filter(({ actorId, version }) => actorId === id && version > after)
            .sort((a, b) => a.version - b.version),
        )
        .slice(0, limit),
  }
  return store as ArchiveStore
}

const limits = {
  ...{ partition: 0, upTo: 1_000, before: '2030-02-01T00:00:00.000Z', now: '2031-01-01T00:00:00.000Z' },
  unsettled: new Set<string>(),
}

async function portionsOf(store: ArchiveStore, max: number, change: Partial<typeof limits> = {}) {
  const portions: TurnRecord[][] = []
  const tally: Tally = {}
  for await (const portion of oldTurns(store, actors, { ...limits, ...change }, max, tally)) portions.push(portion)
  return { portions, all: portions.flat(), tally }
}

test('every old turn goes once, in portions of that size, of each actor from its first one on', async () => {
  const turns = journalOf({ ada: 7, bert: 1, carl: 3, dora: 12 })
  for (const max of [1, 2, 3, 5, 22, 23, 24, 100]) {
    const { portions, all, tally } = await portionsOf(storeOf(turns), max)
    assert.deepEqual(
      portions.slice(0, -1).map(({ length }) => length),
      Array(Math.ceil(23 / max) - 1).fill(max),
      `${max}`,
    )
    assert.deepEqual([...all].sort(compareTurns), [...turns].sort(compareTurns))
    for (const name of ['ada', 'bert', 'carl', 'dora']) {
      const versions = all.filter(({ actorId }) => actorId === idOf(name)).map(({ version }) => version)
      assert.deepEqual(
        versions,
        versions.map((_, n) => n + 1),
      )
    }
    assert.deepEqual(tally, { booking: { ended: 4, turns: 23, open: 0 } })
  }
})

test('what comes behind a turn that stays, stays', async () => {
  const turns = journalOf({ ada: 4, bert: 4 }, (turn, name) =>
    name === 'ada' && turn.version === 3 ? { ...turn, at: young } : turn,
  )
  for (const max of [1, 2, 3, 100]) {
    const { all } = await portionsOf(storeOf(turns), max)
    const left = turns.filter((turn) => !all.includes(turn)).map(({ actorId, version }) => [actorId, version])
    assert.deepEqual(left, [
      [idOf('ada'), 3],
      [idOf('ada'), 4],
    ])
  }
  const { all } = await portionsOf(storeOf(turns), 100, { upTo: 3 })
  assert.deepEqual(all.map(({ position }) => position).sort(), [1, 2, 3])
})

test('who is told something yet, or has told it, stays; who has archived turns goes on behind them', async () => {
  const turns = journalOf({ ada: 4, bert: 4 })
  const { all, tally } = await portionsOf(storeOf(turns, { [idOf('bert')]: 3 }), 100, {
    unsettled: new Set([`booking.${idOf('ada')}`]),
  })
  assert.deepEqual(
    all.map(({ actorId, version }) => [actorId, version]),
    [[idOf('bert'), 4]],
  )
  assert.deepEqual(tally, { booking: { ended: 1, turns: 1, open: 1 } })
})

import type { ArchiveFile } from '../engine/archive-ports.ts'
import type { JournaledEvents, RebuildStore } from '../engine/read-model-ports.ts'
import { TurnstileError } from '../errors.ts'
import { advance, turnsBehind } from './advance.ts'
import { fold, knownRows, type Target } from './fold.ts'
import type { AnyProjection } from './projection.ts'
import { upcastTurn } from './upcast.ts'

const maxTurns = 4_000

/**
 * Makes a read model anew from the journal, beside the one that is there, and puts it in its place in one step. Meanwhile
 * the old one serves and goes on. What an earlier rebuild has left behind is thrown away.
 *
 * @param archived the turns that are in the journal no more, each actor's in the order of its versions
 * @param onProgress told how many turns are in it, and how many there are
 * @returns how many turns are in it
 * @throws `projection-rebuilding` when somebody else is at it or archives, `archive-unreadable`, `database-unavailable`, or what a fold throws
 */
export async function rebuild(
  projection: AnyProjection,
  store: RebuildStore,
  archived: (files: ArchiveFile[]) => AsyncIterable<JournaledEvents[]>,
  onProgress: (taken: number, all: number) => void,
): Promise<number> {
  const { name } = projection
  if (!(await store.begin(name))) {
    const message = `${name} is being rebuilt already, or turns are being archived. Wait for that to end: turnstile projections list shows how it stands.`
    throw new TurnstileError('projection-rebuilding', message)
  }
  const twin = `${name}_rebuild`
  const target = { name: twin, projection }
  // They come first of each actor, and its row is its own: in which order the actors come is all the same.
  for await (const page of archived(await store.archiveFiles())) await take(page, target, store)
  let turns = 0
  for (;;) {
    const lags = await store.lags([twin])
    const { taken, faults } = await advance([target], lags, store, maxTurns)
    for (const { error } of faults) throw error
    const now = taken.get(twin) ?? 0
    turns += now
    const left = (turnsBehind([target], lags).get(twin) ?? 0) - now
    onProgress(turns, turns + left)
    if (left === 0 && (await store.swap(name))) return turns
  }
}

async function take(page: JournaledEvents[], target: Target, store: RebuildStore): Promise<void> {
  const load = { target, stretches: [], turns: page.map(upcastTurn) }
  const keys = knownRows(load)
  const { changes, faults } = fold(load, keys.length > 0 ? await store.loadRows(target.name, keys) : [])
  for (const { error } of faults) throw error
  await store.write([changes])
}

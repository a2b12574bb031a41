import type { RebuildStore } from '../engine/read-model-ports.ts'
import { TurnstileError } from '../errors.ts'
import { advance } from './advance.ts'
import type { AnyProjection } from './projection.ts'

const maxTurns = 4_000

/**
 * Makes a read model anew from the journal, beside the one that is there, and puts it in its place in one step. Meanwhile
 * the old one serves and goes on. What an earlier rebuild has left behind is thrown away.
 *
 * @param onProgress told how many turns are in it, and how many there are
 * @returns how many turns are in it
 * @throws `projection-rebuilding` when somebody else is at it, `database-unavailable`, or what a fold throws
 */
export async function rebuild(
  projection: AnyProjection,
  store: RebuildStore,
  onProgress: (taken: number, all: number) => void,
): Promise<number> {
  const { name } = projection
  if (!(await store.begin(name))) {
    const message = `${name} is being rebuilt already. Wait for that to end: turnstile projections list shows how it stands.`
    throw new TurnstileError('projection-rebuilding', message)
  }
  const twin = `${name}_rebuild`
  let turns = 0
  for (;;) {
    const { behind, taken, faults } = await advance([{ name: twin, projection }], store, maxTurns)
    for (const { error } of faults) throw error
    turns += taken
    const left = behind.get(twin) ?? 0
    onProgress(turns, turns + left)
    if (left === 0 && (await store.swap(name))) return turns
  }
}

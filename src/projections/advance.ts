import type { JournaledEvents, Lag, ProjectionStore, Stretch } from '../engine/read-model-ports.ts'
import { type Fault, fold, knownRows, type Load, type Target } from './fold.ts'
import { reach, stretchesOf } from './stretches.ts'
import { upcastTurn } from './upcast.ts'

export type Progress = {
  /** How many turns were taken, by name. */
  taken: Map<string, number>
  faults: Fault[]
}

/**
 * One step: takes some of the turns that the targets lack, folds them, and writes rows and positions in one statement.
 * Targets share the reading where they can. When somebody else did the same meanwhile, nothing is written here.
 *
 * @param lags where the targets stand; no others move
 * @param maxTurns how many turns are in memory at a time
 */
export async function advance(
  targets: Target[],
  lags: Lag[],
  store: ProjectionStore,
  maxTurns: number,
): Promise<Progress> {
  const loads = await read(targets, lags, store, maxTurns)
  const folded = await Promise.all(
    loads.map(async (load) => {
      const keys = knownRows(load)
      return fold(load, keys.length > 0 ? await store.loadRows(load.target.name, keys) : [])
    }),
  )
  const changes = folded.map(({ changes }) => changes).filter(({ moves }) => moves.length > 0)
  const isWritten = changes.length > 0 && (await store.write(changes))
  return {
    taken: new Map(changes.map(({ name, moves }) => [name, isWritten ? turnsIn(moves) : 0])),
    faults: folded.flatMap(({ faults }) => faults),
  }
}

/** How many turns each lags behind. */
export function turnsBehind(targets: Target[], lags: Lag[]): Map<string, number> {
  const behind = new Map(targets.map(({ name }) => [name, 0]))
  for (const { name, position, head } of lags) behind.set(name, (behind.get(name) ?? 0) + head - position)
  return behind
}

const turnsIn = (moves: Stretch[]): number => moves.reduce((sum, { after, upTo }) => sum + upTo - after, 0)

/** Where events come out of the journal, for all read models. */
async function read(targets: Target[], lags: Lag[], store: ProjectionStore, maxTurns: number): Promise<Load[]> {
  if (lags.length === 0) return []
  const stretches = stretchesOf(lags, maxTurns)
  const kinds = new Set(targets.flatMap(({ projection }) => Object.keys(projection.folds)))
  const turns = (await store.readEvents(stretches, [...kinds])).map(upcastTurn)
  return targets.map((target) => {
    const own = lags.filter(({ name }) => name === target.name)
    const moves = new Map(own.map((lag) => [lag.partition, reach(lag, stretches)]))
    const isOwn = ({ partition, position, kind }: JournaledEvents): boolean => {
      const move = moves.get(partition)
      return kind in target.projection.folds && move !== undefined && position > move.after && position <= move.upTo
    }
    return { target, stretches: [...moves.values()], turns: turns.filter(isOwn) }
  })
}

import type { AnyActor } from '../../src/actor/actor.ts'
import type { AnyProjection } from '../../src/projections/projection.ts'

type Count = { events: number }

/**
 * A read model that lives in the simulation alone. It counts the events of each actor, so that a turn that is taken twice, or
 * not at all, shows; the shipped ones would not always tell.
 */
export const countsOf = (actors: Record<string, AnyActor>): AnyProjection => ({
  name: 'counts',
  folds: Object.fromEntries(
    Object.entries(actors).map(([kind, { schemas }]) => [kind, countEach(Object.keys(schemas.events))]),
  ),
})

function countEach(types: string[]): AnyProjection['folds'][string] {
  const count = (row: Count | undefined): Count => ({ events: (row?.events ?? 0) + 1 })
  return Object.fromEntries(types.map((type) => [type, count as AnyProjection['folds'][string][string]]))
}

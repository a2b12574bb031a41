import type { Tagged } from '../actor/actor.ts'
import type { Changes, JournaledEvents, ReadRow, RowKey, Stretch } from '../engine/read-model-ports.ts'
import type { AnyProjection, TurnFacts } from './projection.ts'

/** A read model on its way through the journal. */
export type Target = {
  /** Where its rows and positions are; of a rebuild not the projection's own. */
  name: string
  projection: AnyProjection
}

/** A target, and the turns that it has before it: some stretches of the journal, read. */
export type Load = { target: Target; stretches: Stretch[]; turns: JournaledEvents[] }

/** An event that a projection cannot fold: a bug in it. */
export type Fault = { name: string; partition: number; position: number; error: unknown }

/** The rows that are to be looked for: where an actor's first turn is among the turns, or its row begins, there is none yet. */
export function knownRows({ target, turns }: Load): RowKey[] {
  const keys = new Map<string, RowKey>()
  const isNew = new Set<string>()
  for (const { partition, kind, actorId: id, version, events } of turns) {
    const first = events.find((event) => foldOf(target, kind, event))
    if (version > 1 && !first) continue
    const key = keyOf({ kind, id })
    if (version === 1 || (first && target.projection.begins?.[kind]?.includes(first.type))) isNew.add(key)
    else if (!isNew.has(key)) keys.set(key, { partition, kind, id })
  }
  return [...keys.values()]
}

/**
 * Folds the turns into the rows that are there. A partition with an event that cannot be folded stays where it is.
 *
 * @param rows those that exist of `knownRows`
 */
export function fold({ target, stretches, turns }: Load, rows: ReadRow[]): { changes: Changes; faults: Fault[] } {
  const before = new Map(rows.map((row) => [keyOf(row), row.fields]))
  const after = new Map<string, RowKey & { fields: object | undefined }>()
  const faults = new Map<number, Fault>()
  for (const turn of turns) {
    const { partition, position, kind, actorId: id } = turn
    if (faults.has(partition)) continue
    try {
      for (const event of turn.events) {
        const step = foldOf(target, kind, event)
        if (!step) continue
        const key = keyOf({ kind, id })
        const row = after.has(key) ? after.get(key)?.fields : before.get(key)
        after.set(key, { partition, kind, id, fields: step(row as never, event as never, turn) })
      }
    } catch (error) {
      faults.set(partition, { name: target.name, partition, position, error })
    }
  }
  const moves = stretches.filter(({ partition }) => !faults.has(partition))
  const changed = [...after].filter(([key, row]) => !faults.has(row.partition) && row.fields !== before.get(key))
  return {
    changes: {
      name: target.name,
      moves,
      put: changed.flatMap(([, { fields, ...key }]) => (fields ? { ...key, fields } : [])),
      gone: changed.flatMap(([, { fields, ...key }]) => (fields ? [] : key)),
    },
    faults: [...faults.values()],
  }
}

type Step = (row: never, event: never, turn: TurnFacts) => object | undefined

const foldOf = ({ projection }: Target, kind: string, { type }: Tagged): Step | undefined =>
  projection.folds[kind]?.[type]

const keyOf = ({ kind, id }: Pick<RowKey, 'kind' | 'id'>): string => `${kind}/${id}`

import type { PartitionRow, TurnRecord } from '../../src/engine/ports.ts'
import type { LiveProjections } from '../../src/engine/read-model-ports.ts'
import type { AnyProjection } from '../../src/projections/projection.ts'
import type { MemoryProjections } from '../../src/store/memory-projections.ts'
import { isSameJson } from './json.ts'
import type { Sightings } from './sightings.ts'
import type { Violation, Witness } from './witness.ts'

/** A session of the database with a witness beside it. */
export function watchedProjections(session: LiveProjections, witness: Witness, sightings: Sightings): LiveProjections {
  return {
    ...session,
    async lead() {
      const isLeading = await session.lead()
      sightings.note(isLeading ? 'projector leads' : 'projector stands by')
      return isLeading
    },
    async write(changes) {
      const isWritten = await session.write(changes)
      if (isWritten) witness.projected(changes)
      else sightings.note('write of read models refused')
      return isWritten
    },
  }
}

/** Read models that stand behind the journal, or nowhere yet. */
export function behind(names: string[], projections: MemoryProjections, heads: PartitionRow[]): string[] {
  return names.flatMap((name) => {
    return heads.flatMap(({ id, head }) => {
      const position = projections.position(name, id)
      return position === head ? [] : [`${name} stands at ${position ?? 'nothing'} of ${head} in partition ${id}`]
    })
  })
}

/** Read models are the fold of the journal, row for row. They are folded here turn by turn, without the projector's code. */
export function* readModelFaults(
  readModels: AnyProjection[],
  projections: MemoryProjections,
  journal: TurnRecord[],
): Generator<Violation> {
  for (const { name, folds } of readModels) {
    const due = new Map<string, object>()
    for (const { decision, ...turn } of journal) {
      const key = `${turn.partition}/${turn.kind}/${turn.actorId}`
      for (const event of decision.events ?? []) {
        const fold = folds[turn.kind]?.[event.type]
        if (!fold) continue
        const row = fold(due.get(key) as never, event as never, { ...turn, partition: turn.partition })
        if (row) due.set(key, row)
        else due.delete(key)
      }
    }
    const found = new Map(
      projections.rows(name).map(({ partition, kind, id, fields }) => [`${partition}/${kind}/${id}`, fields]),
    )
    for (const key of new Set([...due.keys(), ...found.keys()])) {
      if (isSameJson(due.get(key), found.get(key))) continue
      const details = `${name}, ${key}: ${JSON.stringify(found.get(key))} for ${JSON.stringify(due.get(key))}`
      yield { invariant: 'read models = fold(journal)', details }
    }
  }
}

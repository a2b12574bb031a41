import { fold } from '../projections/fold.ts'
import { projections } from '../projections/index.ts'
import { upcastTurn } from '../projections/upcast.ts'
import type { WholeReadModel, WholeRecord } from '../store/memory-inspection.ts'

/** The read models as a projector would have made them of this record. @param lag how many turns they lack in each partition */
export function readModelsOf({ partitions, turns }: WholeRecord, lag = 0): WholeReadModel[] {
  const positions = partitions.map(({ id, head }) => ({ partition: id, position: Math.max(0, head - lag) }))
  const upTo = new Map(positions.map(({ partition, position }) => [partition, position]))
  const taken = turns
    .filter(({ partition, position }) => position <= (upTo.get(partition) ?? 0))
    .sort((a, b) => a.partition - b.partition || a.position - b.position)
    .map(({ decision, ...turn }) => upcastTurn({ ...turn, events: decision.events ?? [] }))
  return projections.map((projection) => {
    const { name } = projection
    return {
      name,
      positions,
      rows: fold({ target: { name, projection }, stretches: [], turns: taken }, []).changes.put,
    }
  })
}

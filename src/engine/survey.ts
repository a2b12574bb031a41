import type { OwnedPartition } from './partition.ts'
import type { Store } from './ports.ts'

/**
 * Learns beyond which ids all actors of these partitions are new, so that nobody looks for them; until then all are looked
 * for. To be asked for once the partitions are claimed: from then on nobody else makes actors there.
 */
export async function survey(partitions: OwnedPartition[], kinds: string[], store: Pick<Store, 'lastIds'>) {
  const open = new Map(partitions.flatMap((partition) => (partition.isClosed ? [] : [[partition.id, partition]])))
  if (open.size === 0) return
  const actors = await store.lastIds([...open.keys()], kinds)
  for (const { partition, ...address } of actors) open.get(partition)?.noteActor(address)
  for (const partition of open.values()) partition.noteSurvey()
}

import { keyOf } from '../engine/cache.ts'
import type { Address } from '../engine/ports.ts'
import type { PartitionView } from '../store/inspection.ts'

/**
 * Until when all that was sent to these actors has been taken for sure, as was seen when turns of them were archived: what
 * they took is not looked up there. Of one without archived turns it is no time at all.
 */
export async function archivedBeforeOf(
  view: PartitionView,
  addresses: (Address & { partition: number })[],
): Promise<(address: Address) => string> {
  const marks = addresses.length > 0 ? await view.archiveMarks(addresses) : []
  const times = new Map(marks.map((mark) => [keyOf(mark), mark.before]))
  return (address) => times.get(keyOf(address)) ?? ''
}

import type { Tagged } from '../../src/actor/actor.ts'
import type { Sight } from './sightings.ts'

/** What the turns of bundles show, by their events. */
const sightOf: Record<string, (event: never) => Sight> = {
  VipBundleFinalized_v1: ({ success }: { success: boolean }) => (success ? 'bundle succeeded' : 'bundle failed'),
  RollbackBegan_v1: ({ reason }: { reason: string }) => {
    if (reason.includes('took too long')) return 'bundle rolled back by a deadline'
    return reason.includes('operator') ? 'bundle stopped by an operator' : 'bundle rolled back by what became of a part'
  },
  PartRefused_v1: () => 'part of a bundle refused',
  PartUndone_v1: () => 'part of a bundle undone',
}

/** @param before the state that the events were told in */
export function sightsOf(events: Tagged[], before: unknown): Sight[] {
  const { status } = before as { status?: string }
  return events.flatMap((event) => {
    const sight = sightOf[event.type]?.(event as never)
    const isLate = event.type === 'PartUndone_v1' && status === 'failed'
    return [...(sight ? [sight] : []), ...(isLate ? (['part of a bundle undone after its end'] as const) : [])]
  })
}

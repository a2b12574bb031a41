import type { Address, Feed } from '../../engine/ports.ts'
import type { Listener } from './listener.ts'
import { readFrom } from './place.ts'
import { toldOfActor, toldToAll } from './told.ts'

export type Actor = Address & { partition: number }

/** Of each actor or partition, so that one with much to tell holds up no other for long. */
const turnsPerPage = 50

/**
 * Tells all who listen to actors what is new, by one statement.
 *
 * @returns whether there may be more
 */
export async function tellOfActors(feed: Feed, listeners: Map<Listener, Actor>): Promise<boolean> {
  const byActor = new Map<string, { actor: Actor; listeners: Listener[] }>()
  for (const [listener, actor] of listeners) {
    if (!listener.canTake) continue
    const known = byActor.get(keyOf(actor)) ?? { actor, listeners: [] }
    byActor.set(keyOf(actor), known)
    known.listeners.push(listener)
  }
  if (byActor.size === 0) return false
  const seen = [...byActor.values()].map(({ actor, listeners }) => ({ ...actor, after: hindmost(listeners, 0) }))
  const turns = await feed.turnsOf(seen, turnsPerPage)
  for (const turn of turns) {
    const told = [toldOfActor(turn)]
    for (const listener of byActor.get(keyOf({ ...turn, id: turn.actorId }))?.listeners ?? []) listener.offer(told)
  }
  return turns.length >= turnsPerPage
}

/**
 * Tells those of one group what is new in all partitions, by one statement.
 *
 * @returns whether there may be more
 */
export async function tellAll(feed: Feed, group: Listener[]): Promise<boolean> {
  const partitions = group[0]?.places ?? []
  const seen = partitions.map((_, partition) => ({ partition, after: hindmost(group, partition) }))
  const turns = await feed.turnsAfter(seen, turnsPerPage)
  const told = turns.map(toldToAll)
  for (const listener of group) listener.offer(told)
  return turns.length >= turnsPerPage
}

function hindmost(listeners: Listener[], journal: number): number {
  return Math.min(...listeners.map((listener) => readFrom(listener.placeIn(journal))))
}

const keyOf = ({ kind, id }: Address): string => `${kind}/${id}`

import type { Listener } from './listener.ts'

/**
 * Who can be told by one reading of the journals: those who are within so many turns of the foremost of them. The first
 * group has the foremost of all.
 */
export function groupsOf(listeners: Listener[], nearTurns: number): Listener[][] {
  const foremostFirst = listeners
    .map((listener) => ({ listener, turns: listener.places.reduce((sum, { turn }) => sum + turn, 0) }))
    .sort((a, b) => b.turns - a.turns)
  const groups: Listener[][] = []
  for (const { listener } of foremostFirst) {
    const group = groups.at(-1)
    const foremost = group?.[0]
    if (group && foremost && lagOf(listener, foremost) <= nearTurns) group.push(listener)
    else groups.push([listener])
  }
  return groups
}

/** How many turns the other has been told of that this one has not. */
function lagOf(listener: Listener, other: Listener): number {
  return other.places.reduce((sum, { turn }, journal) => sum + Math.max(0, turn - listener.placeIn(journal).turn), 0)
}

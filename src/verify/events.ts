import type { Tagged } from '../actor/actor.ts'
import type { TurnRecord } from '../engine/ports.ts'

/** The events of a journaled turn. Whoever reads a journal reads them here. */
export const eventsOf = ({ decision }: TurnRecord): Tagged[] => decision.events ?? []

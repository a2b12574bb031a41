import { actors } from '../../actors/index.ts'
import type { AnyActor } from '../actor/actor.ts'
import { upcast } from '../actor/turn.ts'
import type { JournaledEvents } from '../engine/read-model-ports.ts'

const byKind: Readonly<Record<string, AnyActor>> = actors

/** The turn with its events as they would be said today: projections know those alone. */
export function upcastTurn(turn: JournaledEvents): JournaledEvents {
  const actor = byKind[turn.kind]
  return actor?.upcasters ? { ...turn, events: turn.events.map((event) => upcast(actor, event)) } : turn
}

import { publicBody } from '../../actor/public-event.ts'
import type { TurnEvents } from '../../engine/ports.ts'
import type { Told } from './listener.ts'

/** To whoever listens to one actor: everything that happened to it. Its turns are a journal of their own. */
export function toldOfActor({ version, at, events }: TurnEvents): Told {
  const named = events.map(({ type, ...fields }) => ({ name: type, data: { happened_at: at, ...fields } }))
  return { journal: 0, turn: version, events: named }
}

/** To whoever listens to everything: what is public, as it is published. Each partition is a journal. */
export function toldToAll({ partition, position, messageId, at, events, publishes }: TurnEvents): Told {
  const named = publishes.flatMap((published) => {
    const event = events[published.index]
    return event ? { name: event.type, data: publicBody(event, published.messageId, at, messageId) } : []
  })
  return { journal: partition, turn: position, events: named }
}

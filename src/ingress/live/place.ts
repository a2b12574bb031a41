/**
 * How far one journal has been told to somebody: all turns up to `turn`; or, where an event is named, the turns before it
 * and of this one the events up to that.
 */
export type Place = { turn: number; event?: number }

/** `3f` is a place behind a whole turn, `3f.0` behind its first event. Base 36: an id has one for each partition. */
const placePattern = /^([0-9a-z]{1,11})(?:\.([0-9a-z]{1,3}))?$/

export function encodePlace({ turn, event }: Place): string {
  return event === undefined ? turn.toString(36) : `${turn.toString(36)}.${event.toString(36)}`
}

/** The `id` of an event: how far each journal that it comes from has been told. */
export const eventIdOf = (encodedPlaces: readonly string[]): string => encodedPlaces.join('_')

/** @returns nothing when this is no id of ours, for that many journals */
export function decodeEventId(id: string, journals: number): Place[] | undefined {
  const places = id.split('_', journals + 1).map(decodePlace)
  return places.length === journals && places.every((place) => place !== undefined) ? places : undefined
}

/** The whole turns that need not be read again. */
export const readFrom = ({ turn, event }: Place): number => (event === undefined ? turn : turn - 1)

/** The index of the first event of this turn that is still to be told; nothing for a turn that has been told. */
export function firstUntold(place: Place, turn: number): number | undefined {
  if (turn > place.turn) return 0
  return turn === place.turn && place.event !== undefined ? place.event + 1 : undefined
}

function decodePlace(text: string): Place | undefined {
  const [, turn, event] = placePattern.exec(text) ?? []
  if (turn === undefined) return undefined
  const whole = { turn: Number.parseInt(turn, 36) }
  if (whole.turn > Number.MAX_SAFE_INTEGER) return undefined
  if (event === undefined) return whole
  // Of the turn before the first one nobody has been told an event.
  return whole.turn === 0 ? undefined : { ...whole, event: Number.parseInt(event, 36) }
}

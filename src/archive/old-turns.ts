import type { AnyActor } from '../actor/actor.ts'
import { hasEnded } from '../actor/turn.ts'
import { keyOf } from '../engine/cache.ts'
import type { Actors } from '../engine/parse.ts'
import type { Address, TurnRecord } from '../engine/ports.ts'
import type { ArchiveStore, Resident } from '../store/archive.ts'

/** Which turns may go. */
export type Limits = {
  partition: number
  /** Positions up to here alone. */
  upTo: number
  /** Turns of messages that were accepted before, by actors that have ended by now. RFC 3339 in UTC. */
  before: string
  now: string
  /** Actors that have sent, called for, or are to be told something that is not taken yet. */
  unsettled: ReadonlySet<string>
}

/** How many actors were found, by kind: of those that have ended, the turns that go are counted too. */
export type Tally = Record<string, { ended: number; turns: number; open: number }>

const pagePlaces = 5_000
/** How many actors are looked at with one query. */
const pageActors = 500

/**
 * The turns of a partition that may go, in portions of at most `max`, each sorted by actor. Of every actor they are its first
 * ones, without a gap; one that has too many for a portion goes on in the next.
 *
 * In memory are one portion, and the names of the actors that have old turns.
 */
export async function* oldTurns(
  store: ArchiveStore,
  actors: Actors,
  limits: Limits,
  max: number,
  tally: Tally,
): AsyncGenerator<TurnRecord[]> {
  let portion: TurnRecord[] = []
  for await (const ended of endedActors(store, actors, limits, tally)) {
    let queue = ended.map(({ kind, id, archived }) => ({ kind, id, after: archived }))
    while (queue.length > 0) {
      const room = max - portion.length
      const turns = await store.turnsOf(limits.partition, queue, room)
      const going = firstOnes(turns, limits)
      portion.push(...going)
      for (const { kind } of going) tallyOf(tally, kind).turns += 1
      queue = turns.length < room ? [] : behind(queue, turns, going)
      if (portion.length < max) continue
      yield portion
      portion = []
    }
  }
  if (portion.length > 0) yield portion
}

/** Of each actor those before the first that is too young, or lies too far on. */
function firstOnes(turns: TurnRecord[], { upTo, before }: Limits): TurnRecord[] {
  const held = new Set<string>()
  return turns.filter((turn) => {
    const key = keyOf({ kind: turn.kind, id: turn.actorId })
    if (turn.at >= before || turn.position > upTo) held.add(key)
    return !held.has(key)
  })
}

type Queued = Address & { after: number }

/** What is still to be read, when as many turns came as were asked for: the last actor may have more. */
function behind(queue: Queued[], turns: TurnRecord[], going: TurnRecord[]): Queued[] {
  const last = turns.at(-1)
  const index = queue.findIndex(({ kind, id }) => kind === last?.kind && id === last.actorId)
  const rest = queue.slice(index)
  const [current] = rest
  if (!current || !last) return []
  return going.at(-1) === last ? [{ ...current, after: last.version }, ...rest.slice(1)] : rest.slice(1)
}

async function* endedActors(
  store: ArchiveStore,
  actors: Actors,
  limits: Limits,
  tally: Tally,
): AsyncGenerator<Resident[]> {
  const seen = new Set<string>()
  const { partition, upTo, before } = limits
  for (let position = 0; position < upTo; ) {
    const places = await store.places(partition, position, upTo, pagePlaces)
    position = places.at(-1)?.position ?? upTo
    const fresh = places.filter((place) => place.at < before && seen.size < seen.add(keyOf(place)).size)
    for (let from = 0; from < fresh.length; from += pageActors) {
      const residents = await store.residents(partition, fresh.slice(from, from + pageActors))
      const ended = residents.filter((resident) => isOver(resident, actors[resident.kind], limits))
      for (const { kind } of residents) tallyOf(tally, kind).open += 1
      for (const { kind } of ended) {
        tallyOf(tally, kind).open -= 1
        tallyOf(tally, kind).ended += 1
      }
      yield ended
    }
  }
}

function isOver(resident: Resident, actor: AnyActor | undefined, { now, unsettled }: Limits): boolean {
  if (!actor || resident.isWaiting || unsettled.has(keyOf(resident))) return false
  return hasEnded(actor, resident.state, now)
}

function tallyOf(tally: Tally, kind: string): Tally[string] {
  tally[kind] ??= { ended: 0, turns: 0, open: 0 }
  return tally[kind]
}

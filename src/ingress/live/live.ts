import type { Readable } from 'node:stream'
import { partitionOf } from '../../actor/ids.ts'
import type { Address, Feed, Log } from '../../engine/ports.ts'
import { Problem } from '../problems.ts'
import { groupsOf } from './groups.ts'
import { Listener } from './listener.ts'
import { decodeEventId, encodePlace, type Place, readFrom } from './place.ts'
import { type Actor, tellAll, tellOfActors } from './telling.ts'

export type LiveOptions = {
  feed: Feed
  partitions: number
  log: Log
  /** Told how many listen whenever that changes. */
  count(listeners: number): void
}

export const maxListeners = 1_000
/** Often enough to be called live; a round in which nothing has happened costs one or two statements. */
const pollMs = 200
const beatMs = 15_000
/** Who is no further behind costs the others a few pages at most. */
const nearTurns = 1_000

/**
 * Tells those who listen what is in the journal, first what they have missed and then what comes.
 *
 * One poller serves all: a round reads once for all who listen to actors, and once for all who listen to everything and
 * are abreast of each other. Those who are further behind catch up beside them, a page a round. Nobody is read for while
 * it cannot take more, and nothing is read while nobody listens.
 */
export class Live {
  readonly #options: LiveOptions
  readonly #ofActors = new Map<Listener, Actor>()
  readonly #ofAll = new Set<Listener>()
  #timer: NodeJS.Timeout | undefined
  #heart: NodeJS.Timeout | undefined
  #rounds = 0
  #isReading = false
  #isWanted = false
  #isFailing = false
  #isClosed = false

  constructor(options: LiveOptions) {
    this.#options = options
  }

  /**
   * What happens to one actor: from its first event on, or from behind the one of this id.
   *
   * @returns a stream of Server-Sent Events, to be read or destroyed
   * @throws `invalid-request` for an id that is none of this actor's; `archived`, `overloaded`, `unavailable`
   */
  async listenTo(address: Address, lastEventId: string | undefined): Promise<Readable> {
    this.#checkRoom()
    const actor = { ...address, partition: partitionOf(address.id, this.#options.partitions) }
    const [place = { turn: 0 }] = placesOf(lastEventId, 1) ?? []
    const archived = await this.#options.feed.archivedOf(actor)
    if (readFrom(place) < archived)
      throw tooOld(`the first ${archived} turns of this one`, encodePlace({ turn: archived }))
    if (place.turn > archived) {
      const [last] = await this.#options.feed.turnsOf([{ ...actor, after: place.turn - 1 }], 1)
      if (!last) throw unknownEventId()
    }
    return this.#add([place], (listener) => this.#ofActors.set(listener, actor))
  }

  /** The public events of all actors: from now on, or from behind the one of this id. Otherwise like `listenTo`. */
  async listenToAll(lastEventId: string | undefined): Promise<Readable> {
    this.#checkRoom()
    const known = placesOf(lastEventId, this.#options.partitions)
    const heads = await this.#options.feed.heads()
    // They are from a journal that has been lost: to wait until this one is as long would be to miss what happens.
    if (known?.some(({ turn }, partition) => turn > (heads[partition] ?? 0))) throw unknownEventId()
    const archived = known ? await this.#options.feed.archivedUpTo() : []
    if (known?.some((place, partition) => readFrom(place) < (archived[partition] ?? 0)))
      throw tooOld('some of the turns that follow this id', undefined)
    return this.#add(known ?? heads.map((turn) => ({ turn })), (listener) => this.#ofAll.add(listener))
  }

  /** Hangs up on all; nobody can listen any more. */
  close(): void {
    this.#isClosed = true
    for (const listener of this.#all()) listener.end()
    this.#rest()
  }

  #checkRoom(): void {
    if (this.#isClosed) throw new Problem('unavailable', 'the server is stopping')
    const count = this.#ofActors.size + this.#ofAll.size
    if (count >= maxListeners) throw new Problem('overloaded', `${count} clients are listening here already`)
  }

  #add(places: Place[], enter: (listener: Listener) => void): Readable {
    this.#checkRoom()
    const listener = new Listener(
      places,
      () => this.#readSoon(),
      () => this.#remove(listener),
    )
    enter(listener)
    this.#count()
    this.#heart ??= setInterval(() => this.#beat(), beatMs)
    this.#readSoon()
    return listener.stream
  }

  #remove(listener: Listener): void {
    this.#ofActors.delete(listener)
    this.#ofAll.delete(listener)
    this.#count()
    if (this.#ofActors.size + this.#ofAll.size === 0) this.#rest()
  }

  #rest(): void {
    clearTimeout(this.#timer)
    clearInterval(this.#heart)
    this.#timer = undefined
    this.#heart = undefined
  }

  #beat(): void {
    for (const listener of this.#all()) listener.beat()
  }

  #readSoon(): void {
    this.#isWanted = true
    if (!this.#isReading && !this.#isClosed) this.#schedule(0)
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#read(), delayMs)
  }

  async #read(): Promise<void> {
    this.#isReading = true
    this.#isWanted = false
    try {
      if (await this.#round()) this.#isWanted = true
      this.#isFailing = false
    } catch (error) {
      this.#isWanted = false
      if (!this.#isFailing) this.#options.log.warn({ err: error }, 'the journal cannot be read for those who listen')
      this.#isFailing = true
    } finally {
      this.#isReading = false
    }
    if (!this.#isClosed && this.#ofActors.size + this.#ofAll.size > 0) this.#schedule(this.#isWanted ? 0 : pollMs)
  }

  /** @returns whether there may be more */
  async #round(): Promise<boolean> {
    const { feed } = this.#options
    const ready = [...this.#ofAll].filter((listener) => listener.canTake)
    const [abreast, ...behind] = groupsOf(ready, nearTurns)
    const next = behind[this.#rounds++ % behind.length]
    const more = await Promise.all([
      tellOfActors(feed, this.#ofActors),
      abreast && tellAll(feed, abreast),
      next && tellAll(feed, next),
    ])
    return behind.length > 0 || more.includes(true)
  }

  #count(): void {
    this.#options.count(this.#ofActors.size + this.#ofAll.size)
  }

  #all(): Listener[] {
    return [...this.#ofActors.keys(), ...this.#ofAll]
  }
}

/** @throws `invalid-request` that names the header */
function placesOf(lastEventId: string | undefined, journals: number): Place[] | undefined {
  // What a client that has had none yet may say.
  if (lastEventId === undefined || lastEventId === '') return undefined
  const places = decodeEventId(lastEventId, journals)
  if (places) return places
  throw unknownEventId()
}

/** @param next the id to go on with */
function tooOld(what: string, next: string | undefined): Problem {
  const advice =
    next === undefined ? 'listen without it, to what comes from now on' : `go on from behind them with ${next}`
  return new Problem('archived', `${what} are archived: ${advice}`)
}

function unknownEventId(): Problem {
  const message = 'must be the id of an event of this stream'
  return new Problem('invalid-request', `Last-Event-ID ${message}`, { errors: [{ field: 'Last-Event-ID', message }] })
}

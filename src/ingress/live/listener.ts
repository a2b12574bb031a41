import { Readable } from 'node:stream'
import { encodePlace, eventIdOf, firstUntold, type Place } from './place.ts'

/** A turn as it is told: which of the listener's journals it stands in and where, and what happened in it. */
export type Told = { journal: number; turn: number; events: { name: string; data: object }[] }

/** What a client that reads slowly may have waiting here; what comes after that stays in the journal until it has read. */
const bufferBytes = 64 * 1024
/** How long an EventSource waits before it connects again. */
const retryMs = 1_000

/** One client that listens: its stream, and how far it has been told. */
export class Listener {
  readonly stream: Readable
  readonly #places: Place[]
  readonly #encoded: string[]
  #isFull = false
  #hasReadNothing = false
  #isBehind = false

  /**
   * @param onHungry called when it can be told on, after it could not take all of what it was told
   * @param onClose called once, when the client is gone or the stream has ended
   */
  constructor(places: Place[], onHungry: () => void, onClose: () => void) {
    this.#places = places
    this.#encoded = places.map(encodePlace)
    this.stream = new Readable({
      highWaterMark: bufferBytes,
      read: () => {
        this.#isFull = false
        this.#hasReadNothing = false
        if (this.#isBehind) onHungry()
      },
    }).on('close', onClose)
    // The id of where it begins: whoever is cut off before the first event misses nothing either.
    this.#push(`retry: ${retryMs}\nid: ${this.#id()}\n\n`)
  }

  /** How far it has been told, by journal. */
  get places(): readonly Place[] {
    return this.#places
  }

  get canTake(): boolean {
    return !this.#isFull
  }

  /**
   * Tells what it has not been told yet, until it can take no more: the rest is to be offered again.
   *
   * @param turns of each journal without a gap, from behind its place or earlier
   */
  offer(turns: Told[]): void {
    this.#isBehind = false
    for (const { journal, turn, events } of turns) {
      const first = firstUntold(this.placeIn(journal), turn)
      if (first === undefined) continue
      for (let index = first; index < events.length; index++) {
        if (this.#isFull) {
          this.#isBehind = true
          return
        }
        this.#moveTo(journal, index === events.length - 1 ? { turn } : { turn, event: index })
        this.#tell(events[index] as Told['events'][number])
      }
      this.#moveTo(journal, { turn })
    }
  }

  /**
   * A sign of life, to be given at intervals. Whoever has read nothing from one to the next is let go: its connection may
   * be up and nobody there, and it resumes by its last id.
   */
  beat(): void {
    if (this.#isFull && this.#hasReadNothing) this.stream.destroy()
    this.#hasReadNothing = this.#isFull
    if (!this.#isFull) this.#push(`:\nid: ${this.#id()}\n\n`)
  }

  /** Hangs up at once: after what has been told, unless the client is slow to read it. */
  end(): void {
    const isSlow = this.stream.readableLength > 0
    this.#isFull = true
    if (isSlow) this.stream.destroy()
    else this.stream.push(null)
  }

  placeIn(journal: number): Place {
    return this.#places[journal] as Place
  }

  #moveTo(journal: number, place: Place): void {
    this.#places[journal] = place
    this.#encoded[journal] = encodePlace(place)
  }

  #tell({ name, data }: Told['events'][number]): void {
    this.#push(`id: ${this.#id()}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
  }

  #push(text: string): void {
    this.#isFull = !this.stream.push(text)
  }

  #id(): string {
    return eventIdOf(this.#encoded)
  }
}

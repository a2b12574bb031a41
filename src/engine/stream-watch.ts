import type { Log, Mailboxes, Observer, Store, StreamMark, StreamName, StreamState, StreamStates } from './ports.ts'

type Ports = {
  store: Pick<Store, 'readStreams' | 'noteStream' | 'noteLoss'>
  mailboxes: Pick<Mailboxes, 'streams'>
  log: Log
  observer: Pick<Observer, 'streamLost'>
}

const names: StreamName[] = ['mailbox', 'effects', 'events']

/**
 * Finds out when the broker has lost what it had stored: a stream was made anew, or ends before where it ended once. Then a
 * redrive of all partitions is ordered, in the store, where it outlives whoever found out.
 */
export class StreamWatch {
  readonly #ports: Ports
  readonly #eventsKeptMs: number
  #looking: Promise<StreamStates> | undefined

  /** @param eventsKeptMs how long the broker keeps public events */
  constructor(ports: Ports, eventsKeptMs: number) {
    this.#ports = ports
    this.#eventsKeptMs = eventsKeptMs
  }

  /** Whoever wants to know while somebody looks gets what that one sees. Rejects when store or broker are away. */
  look(): Promise<StreamStates> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #look(): Promise<StreamStates> {
    const { store, mailboxes } = this.#ports
    // Asked for first: what was known before the broker was asked must hold in its answer, whoever else looks meanwhile.
    const marks = new Map((await store.readStreams()).map((mark) => [mark.name, mark]))
    const streams = await mailboxes.streams()
    await Promise.all(names.map((name) => this.#compare(name, streams[name], marks.get(name))))
    return streams
  }

  async #compare(name: StreamName, now: StreamState, seen: StreamMark | undefined): Promise<void> {
    const { store, log, observer } = this.#ports
    if (!seen || !isLoss(seen, now)) return store.noteStream(name, now, seen)
    const isOurs = await store.noteLoss(seen, now, name === 'events' ? this.#eventsKeptMs : undefined)
    if (!isOurs) return
    log.warn({ stream: name, seen, now }, 'the broker has lost what it had stored; a redrive of all partitions is due')
    observer.streamLost(name)
  }
}

const isLoss = (seen: StreamState, now: StreamState): boolean =>
  now.id !== seen.id || now.lastSequence < seen.lastSequence

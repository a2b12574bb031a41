import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream'
import { type NatsConnection, nanos } from '@nats-io/transport-node'
import type { StreamState, StreamStates } from '../engine/ports.ts'
import { TurnstileError } from '../errors.ts'
import { duplicateWindowMs } from './headers.ts'
import type { Subjects } from './subjects.ts'

const nameInUse = 10058
const dayMs = 24 * 60 * 60_000
/** A full mailbox refuses; it never forgets. The server sets this much of its disk aside. */
const mailboxBytes = 1024 * 1024 * 1024

type Config = Partial<StreamConfig> & { name: string }

/** How long and how safely the streams keep what they are given. */
export type StreamKeep = {
  /** How many days public events are kept. */
  eventDays: number
  /** On how many servers of a cluster each stream is kept. One that is kept on more stays so. */
  streamReplicas: number
}

/**
 * The three streams. What decides over correctness is ours, and put right at every start; limits, placement and the like
 * are only proposed to a stream that is not there yet, and are the operators' from then on. Replicas are raised to what is
 * asked for and never lowered: a command that an operator runs without the setting must not make the streams less safe.
 */
export class Streams {
  readonly #nats: NatsConnection
  readonly #manager: JetStreamManager
  readonly #subjects: Subjects
  readonly #eventDays: number
  readonly #replicas: number

  constructor(nats: NatsConnection, manager: JetStreamManager, subjects: Subjects, keep: StreamKeep) {
    this.#nats = nats
    this.#manager = manager
    this.#subjects = subjects
    this.#eventDays = keep.eventDays
    this.#replicas = keep.streamReplicas
  }

  /**
   * Makes the streams, or puts them right. Several processes may do so at once.
   *
   * @throws `partitions-mismatch` when the mailboxes are spread over another number of partitions
   */
  async ensure(): Promise<void> {
    await this.#ensureMailboxes()
    await this.#ensureEvents()
    await this.#ensureEffects()
  }

  /** The mailbox stream alone. It is made again if need be. */
  async mailboxState(): Promise<StreamState> {
    return stateOf((await this.#find(this.#subjects.mailboxStream)) ?? (await this.#ensureMailboxes()))
  }

  async states(): Promise<StreamStates> {
    const { effectStream, eventStream } = this.#subjects
    const [mailbox, effects, events] = await Promise.all([
      this.mailboxState(),
      this.#find(effectStream).then((found) => found ?? this.#ensureEffects()),
      this.#find(eventStream).then((found) => found ?? this.#ensureEvents()),
    ])
    return { mailbox, effects: stateOf(effects), events: stateOf(events) }
  }

  #ensureMailboxes(): Promise<StreamInfo> {
    return this.#ensure(this.#mailboxStream(), {
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      max_bytes: mailboxBytes,
    })
  }

  #ensureEvents(): Promise<StreamInfo> {
    return this.#ensure(this.#eventStream(), { storage: StorageType.File, retention: RetentionPolicy.Limits })
  }

  #ensureEffects(): Promise<StreamInfo> {
    return this.#ensure(this.#effectStream(), { storage: StorageType.File, retention: RetentionPolicy.Workqueue })
  }

  #mailboxStream(): Config {
    const { mailboxStream: name, allMailboxes, mapping, partitions } = this.#subjects
    const owned = {
      name,
      // Servers before 2.10 have no metadata to keep the number in.
      description: `Commands to actors, in ${partitions} partitions`,
      discard: DiscardPolicy.New,
      duplicate_window: nanos(duplicateWindowMs),
    }
    // Before 2.10 a mapping in the server's configuration has to do this: ops/nats/mapping-2.9.conf.
    if (!this.#canTransform()) return { ...owned, subjects: [allMailboxes] }
    return { ...owned, subjects: [allMailboxes, mapping.src], subject_transform: mapping }
  }

  #eventStream(): Config {
    const { eventStream: name, allEvents } = this.#subjects
    return { name, subjects: [allEvents], discard: DiscardPolicy.Old, max_age: nanos(this.#eventDays * dayMs) }
  }

  #effectStream(): Config {
    const { effectStream: name, allEffects } = this.#subjects
    return {
      name,
      subjects: [allEffects],
      discard: DiscardPolicy.New,
      duplicate_window: nanos(duplicateWindowMs),
    }
  }

  async #ensure(owned: Config, proposed: Partial<StreamConfig>): Promise<StreamInfo> {
    const found = await this.#find(owned.name)
    if (!found) {
      try {
        return await this.#manager.streams.add({ ...owned, ...proposed, num_replicas: this.#replicas })
      } catch (error) {
        // Another process was faster, with other settings: look at them.
        if (!(error instanceof JetStreamApiError && error.code === nameInUse)) throw error
        return this.#ensure(owned, proposed)
      }
    }
    this.#checkPartitions(found)
    const wanted = { ...owned, num_replicas: Math.max(found.config.num_replicas, this.#replicas) }
    return differs(found.config, wanted) ? this.#manager.streams.update(owned.name, wanted) : found
  }

  #checkPartitions({ config: { name, description = '' } }: StreamInfo): void {
    const stored = /\bin (\d+) partitions$/.exec(description)?.[1]
    const { partitions } = this.#subjects
    if (stored === undefined || Number(stored) === partitions) return
    throw new TurnstileError(
      'partitions-mismatch',
      `the stream ${name} is spread over ${stored} partitions, and TURNSTILE_PARTITIONS is ${partitions}. ` +
        `The number is fixed for the life of the data: set it to ${stored}, or use another TURNSTILE_PREFIX.`,
    )
  }

  async #find(name: string): Promise<StreamInfo | undefined> {
    try {
      return await this.#manager.streams.info(name)
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  #canTransform(): boolean {
    const [major = 0, minor = 0] = (this.#nats.info?.version ?? '').split('.').map(Number)
    return major > 2 || (major === 2 && minor >= 10)
  }
}

/** Named by when the stream was made: another one means that somebody deleted it. */
const stateOf = ({ created, state }: StreamInfo): StreamState => ({ id: created, lastSequence: state.last_seq })

function differs(config: StreamConfig, owned: Config): boolean {
  const actual = config as unknown as Record<string, unknown>
  return Object.entries(owned).some(([key, value]) => JSON.stringify(actual[key]) !== JSON.stringify(value))
}

/** Whether there is no such stream or consumer. */
export const isNotFound = (error: unknown): boolean => error instanceof JetStreamApiError && error.status === 404

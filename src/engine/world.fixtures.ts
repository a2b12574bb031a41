import { actors } from '../../actors/index.ts'
import { Time } from '../../test/simulation/time.ts'
import { deriveId, partitionOf } from '../actor/ids.ts'
import type { Broker } from '../broker/broker.ts'
import { MemoryBroker, type PlainMessage } from '../broker/memory.ts'
import { MemoryStore } from '../store/memory.ts'
import { Engine } from './engine.ts'
import { LeaseKeeper } from './leases.ts'
import type { Actors } from './parse.ts'
import type { Answer, Log, MailboxStanding, Observer, Store } from './ports.ts'
import { Redriver } from './redriver.ts'
import { noTracer, type Tracer } from './trace-ports.ts'

export const partitions = 8

/** Names for the ids of a test. */
export const id = (name: string): string => deriveId('engine test', name)

/** An id that lives in this partition. */
export function idIn(partition: number, name: string): string {
  for (let i = 0; ; i++) if (partitionOf(id(`${name} ${i}`), partitions) === partition) return id(`${name} ${i}`)
}

export const showId = id('show')
export const creation = {
  type: 'CreateShow',
  dead_nation_id: id('dead nation'),
  number_of_tickets: 10,
  start_time: '2027-01-01T20:00:00.000Z',
  title: 'A',
  venue: 'B',
}
export const wish = {
  type: 'BookShowTickets',
  show_id: showId,
  number_of_tickets: 3,
  customer_email: 'kate@example.com',
}
const leaseMs = 1_000

export type Worker = {
  name: string
  engine: Engine
  keeper: LeaseKeeper
  redriver: Redriver
  broker: Broker
  lines: string[]
  /** What the observer was told: the turns that were committed, the partitions that were lost, and those that were taken. */
  committed: number
  fenced: number
  taken: { free: number; expired: number }
  /** How the mailboxes stood, and the outbox, when the observer was last told. */
  mailboxes: MailboxStanding[]
  untoldMs: number
  /** Dead letters that were counted. */
  letters: number
  /** What was lost and published again. */
  redriven: Record<string, number>
  /** Streams that were found to have lost something. */
  losses: string[]
}

/**
 * A few workers on a store and a broker in memory. Time passes only in `until`, from one planned event to the next, so a
 * lease runs out in no time and always in the same order.
 */
export class World {
  readonly #time = new Time()
  readonly clock = this.#time.clock()
  readonly store = new MemoryStore(partitions, () => this.#time.nowMs)
  readonly broker = new MemoryBroker({
    prefix: 'test',
    partitions,
    nowMs: () => this.#time.nowMs,
    schedule: this.#time.plan,
  })
  readonly client = this.broker.connect()
  readonly answers: Answer[] = []
  readonly published: PlainMessage[] = []
  readonly commits: { worker: string; turns: number }[] = []

  constructor() {
    this.client.requests.onAnswer((answer) => this.answers.push(answer))
    this.broker.subscribe((message) => this.published.push(message))
  }

  /** @param wrap gives the worker a store that misbehaves */
  start(
    name: string,
    {
      wrap = (store: Store): Store => store,
      rules = actors as Actors,
      batchMessages = 100,
      tracer = noTracer as Tracer,
    } = {},
  ): Worker {
    const broker = this.broker.connect()
    const lines: string[] = []
    const told = { committed: 0, fenced: 0, taken: { free: 0, expired: 0 }, mailboxes: [], untoldMs: 0 }
    const worker = { name, broker, lines, ...told, letters: 0, redriven: {}, losses: [] }
    const { store, clock } = this
    const counting = override(wrap(store), 'commit', async (batch, commit) => {
      const result = await commit(batch)
      if (result.outcome === 'committed') this.commits.push({ worker: name, turns: batch.turns.length })
      return result
    })
    const { mailboxes, publisher } = broker
    const log = logTo(worker.lines)
    const ports = {
      store: counting,
      mailboxes,
      publisher,
      atOnce: { take: () => undefined },
      clock,
      log,
      observer: observe(worker),
      tracer,
    }
    const deadlines = { bookingMs: 900_000, bundleStepMs: 900_000 }
    const engine = new Engine(
      name,
      rules,
      { partitions, batchMessages, cachedActors: 1_000, deadlines, eventsKeptMs: 7 * 86_400_000 },
      ports,
    )
    const keeper = new LeaseKeeper(name, { leaseMs, purgeMs: leaseMs }, engine, ports)
    const redriver = new Redriver(partitions, () => engine.partitions.map(({ id }) => id), {
      ...ports,
      redrives: store,
    })
    engine.start()
    keeper.start()
    redriver.start()
    return Object.assign(worker, { engine, keeper, redriver })
  }

  /** Publishes a command as a client that wants the answer. */
  async ask(kind: string, id: string, command: { type: string }, messageId: string): Promise<void> {
    const { requests } = this.client
    const meta = { correlationId: 'test', replyTo: requests.replyTo, requestId: messageId }
    await this.while(requests.send({ to: 'mailbox', address: { kind, id }, messageId, command, meta }, 1_000))
  }

  answerTo(messageId: string): Answer['reply'] | undefined {
    return this.answers.find(({ requestId }) => requestId === messageId)?.reply
  }

  /** Asks, and lets time pass until the answer is there. */
  async askAndWait(kind: string, id: string, command: { type: string }, messageId: string): Promise<void> {
    await this.ask(kind, id, command, messageId)
    await this.until(`an answer to ${command.type}`, () => this.answerTo(messageId) !== undefined)
  }

  /** Publishes bytes on a subject, as anybody can. */
  say(subject: string, body: string, messageId?: string): void {
    this.broker.publish({ subject, body, headers: messageId === undefined ? {} : { 'Nats-Msg-Id': messageId } })
  }

  /** Lets time pass until the condition holds. */
  async until(what: string, isSo: () => boolean): Promise<void> {
    for (let steps = 0; !isSo(); steps++) {
      if (steps > 20_000) throw new Error(`it never came about: ${what}`)
      await this.#time.step()
    }
  }

  /** Lets time pass until the promise is settled. */
  async while<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const settle = (): void => {
      isSettled = true
    }
    promise.then(settle, settle)
    await this.until('the promise is settled', () => isSettled)
    return promise
  }
}

/** The same store but for one method. */
export function override<Name extends keyof Store>(
  store: Store,
  name: Name,
  method: (...args: [...Parameters<Store[Name]>, Store[Name]]) => ReturnType<Store[Name]>,
): Store {
  return new Proxy(store, {
    get(target, property) {
      const original = target[property as Name] as (...args: unknown[]) => unknown
      const bound = original.bind(target)
      return property === name ? (...args: Parameters<Store[Name]>) => method(...args, bound as Store[Name]) : bound
    },
  })
}

function logTo(lines: string[]): Log {
  const write = (_: object, message: string): void => void lines.push(message)
  return { debug: () => {}, info: write, warn: write, error: write }
}

function observe(worker: Omit<Worker, 'engine' | 'keeper' | 'redriver'>): Observer {
  const ignore = (): void => {}
  return {
    committed: ({ turns }) => {
      worker.committed += turns.length
    },
    called: ignore,
    circuit: ignore,
    duplicates: ignore,
    alarmsFired: ignore,
    alarmsArmed: ignore,
    alarmsDue: ignore,
    deadLetter: () => {
      worker.letters += 1
    },
    streamLost: (name) => void worker.losses.push(name),
    redriven: (what, count) => {
      worker.redriven[what] = (worker.redriven[what] ?? 0) + count
    },
    mailboxes: (standings) => {
      worker.mailboxes = standings
    },
    took: (free, expired) => {
      worker.taken.free += free
      worker.taken.expired += expired
    },
    untold: (_, oldestMs) => {
      worker.untoldMs = oldestMs
    },
    paused: ignore,
    fenced: (count) => {
      worker.fenced += count
    },
  }
}

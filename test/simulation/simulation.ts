import { actors as shippedActors } from '../../actors/index.ts'
import type { AnyActor } from '../../src/actor/actor.ts'
import type { OutgoingCommand } from '../../src/engine/ports.ts'
import type { LiveProjections } from '../../src/engine/read-model-ports.ts'
import { projections as shippedReadModels } from '../../src/projections/index.ts'
import type { AnyProjection } from '../../src/projections/projection.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import { MemoryProjections } from '../../src/store/memory-projections.ts'
import { agent } from './agent.ts'
import { Clients } from './clients.ts'
import { countsOf } from './counts.ts'
import { Database } from './database.ts'
import { Faults } from './faults.ts'
import { findFaults } from './final.ts'
import { Host } from './host.ts'
import { Messaging } from './messaging.ts'
import { drawMix, type Mix } from './mix.ts'
import { Operators } from './operators.ts'
import { Random } from './random.ts'
import { behind, watchedProjections } from './read-models.ts'
import { Services } from './services.ts'
import { type Sight, Sightings } from './sightings.ts'
import { planStorm } from './storm.ts'
import { Time } from './time.ts'
import { Trace } from './trace.ts'
import { type DatabaseStore, watched } from './watched.ts'
import { type Violation, Witness } from './witness.ts'
import { type WorkerPorts, Workers } from './workers.ts'

/** What is wrong on purpose in a run, to see that it is found. */
export type Bug = {
  /** The database, as it should not be. Everybody sees it so but the witness, who sees what it was asked. */
  store?(store: DatabaseStore): DatabaseStore
  /** A session with the read models, likewise. */
  projections?(session: LiveProjections): LiveProjections
  /** The ports of one worker, as they should not be. */
  ports?(ports: WorkerPorts): WorkerPorts
  /** Changes the shipped code itself. @returns what changes it back */
  patch?(): () => void
}

export type Result = {
  seed: number
  digest: string
  events: number
  simulatedMs: number
  turns: number
  violation?: Violation
  sightings: [Sight, number][]
  lastLines: string[]
}

const actors: Record<string, AnyActor> = { ...shippedActors, agent }
const readModels: AnyProjection[] = [...shippedReadModels, countsOf(actors)]

/**
 * How long after the last fault everything may take to come to its end, and how many events in all. The slowest of thousands of
 * seeds took 21 s and 5,000 events; one with a call that fails for long, and then waits for its next attempt, 41 s; an effect
 * that is never carried out gives up after a quarter of an hour.
 */
function patienceOf({ hasHopelessCall, hasLateJourney }: Mix): { ms: number; steps: number } {
  if (hasHopelessCall) return { ms: 1_500_000, steps: 600_000 }
  return hasLateJourney ? { ms: 90_000, steps: 60_000 } : { ms: 60_000, steps: 20_000 }
}

type Options = { bug?: Bug /** How many lines of the trace are kept. */; keepLines?: number }

/** Runs one seed: a storm, and then calm, until everything has come to its end. */
export async function simulate(seed: number, { bug = {}, keepLines = 60 }: Options = {}): Promise<Result> {
  const undo = bug.patch?.()
  const realNow = Date.now
  const simulation = new Simulation(seed, bug, keepLines)
  // The circuit breaker of the effect workers takes its time from there.
  Date.now = () => simulation.time.nowMs
  try {
    return await simulation.run()
  } finally {
    Date.now = realNow
    undo?.()
  }
}

/** How often it is looked whether everything has come to its end, once the storm is over. */
const lookEveryMs = 50

class Simulation {
  readonly time = new Time()
  readonly #seed: number
  readonly #mix: Mix
  readonly #trace: Trace
  readonly #sightings = new Sightings()
  readonly #store: MemoryStore
  readonly #projections: MemoryProjections
  readonly #witness: Witness
  readonly #clients: Clients
  readonly #services: Services

  constructor(seed: number, bug: Bug, keepLines: number) {
    const { time } = this
    const nowMs = (): number => time.nowMs
    const random = new Random(seed)
    const mix = drawMix(random)
    const { partitions } = mix
    const trace = new Trace(nowMs, keepLines)
    const sightings = this.#sightings
    const faults = new Faults(time, random, trace, sightings, mix.rates)
    const messaging = new Messaging(mix, faults)
    const wasShared = (effectId: string): boolean => messaging.overlapping.has(effectId)
    const witness = new Witness({ actors, partitions, nowMs, sightings, wasShared })
    const store = new MemoryStore(partitions, nowMs)
    const projections = new MemoryProjections(store)
    const openProjections = (): LiveProjections => {
      const session = projections.connect()
      const shared = mix.everybodyLeads ? { ...session, lead: async () => true } : session
      return watchedProjections(bug.projections?.(shared) ?? shared, witness, sightings)
    }
    const seen = watched(bug.store?.(store) ?? store, witness, sightings)
    const database = new Database(seen, openProjections, faults, mix.leaseMs * 0.6)
    const { mailbox, events, effects } = messaging.memory.streams
    mailbox.onAppend((_, message) => witness.stored('mailbox', message))
    events.onAppend((_, message) => witness.stored('events', message))
    effects.onAppend((_, message) => witness.stored('effects', message))

    const host = new Host('clients', time, false)
    const { requests } = messaging.connect(host)
    const reads = database.connect(host)
    const handIn = (command: OutgoingCommand): void => workers.ask(command)
    const clients = new Clients({ host, faults, mix, requests, reads, broker: messaging.memory, witness, handIn })
    const ordered = (bookingId: string, tickets: number): void => clients.ordered(bookingId, tickets)
    const services = new Services(faults, { done: (deed) => witness.done(deed), ordered }, mix)
    const spoil = bug.ports ?? ((ports: WorkerPorts): WorkerPorts => ports)
    const workers = new Workers({ actors, readModels, mix, faults, database, messaging, services, spoil })
    clients.start()
    new Operators({ mix, faults, database, messaging, store, witness }).start()
    planStorm({ mix, faults, database, messaging, services, workers, witness })
    this.#seed = seed
    this.#mix = mix
    this.#trace = trace
    this.#store = store
    this.#projections = projections
    this.#witness = witness
    this.#clients = clients
    this.#services = services
  }

  async run(): Promise<Result> {
    const startMs = this.time.nowMs
    const violation = await this.#violation(startMs + this.#mix.stormMs)
    const { digest, events, lastLines } = this.#trace
    return {
      seed: this.#seed,
      digest,
      events,
      simulatedMs: this.time.nowMs - startMs,
      turns: this.#witness.turns.size,
      ...(violation && { violation }),
      sightings: [...this.#sightings.counts],
      lastLines,
    }
  }

  /** @param calmMs when the storm is over */
  async #violation(calmMs: number): Promise<Violation | undefined> {
    const witness = this.#witness
    const most = patienceOf(this.#mix)
    const endMs = calmMs + most.ms
    for (let lookMs = calmMs; this.time.nowMs < endMs && this.time.steps < most.steps; ) {
      await this.time.step()
      if (witness.violation) return witness.violation
      if (this.time.nowMs < lookMs) continue
      lookMs = this.time.nowMs + lookEveryMs
      if ((await this.#open()).length > 0) continue
      return findFaults({
        actors,
        readModels,
        partitions: this.#mix.partitions,
        store: this.#store,
        projections: this.#projections,
        witness,
        journeys: this.#services.journeys,
        asked: this.#clients.asked.values(),
      })
    }
    const open = await this.#open()
    return {
      invariant: 'everything comes to its end',
      details: [`${open.length} things are open`, ...open.slice(0, 10)].join('\n  '),
    }
  }

  async #open(): Promise<string[]> {
    if (this.#witness.isOpen) return this.#witness.open()
    const unanswered = this.#clients.unanswered.map(
      ({ command }) => `${command.command.type} to ${command.address.id} is not answered`,
    )
    if (unanswered.length > 0) return unanswered
    const rows = await this.#store.readPartitions(Array.from({ length: this.#mix.partitions }, (_, id) => id))
    const untold = rows.filter(({ head, published }) => published < head)
    return [
      ...untold.map(({ id, head, published }) => `partition ${id} is told up to ${published} of ${head}`),
      ...behind(
        readModels.map(({ name }) => name),
        this.#projections,
        rows,
      ),
    ]
  }
}

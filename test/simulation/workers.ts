import type { AnyActor } from '../../src/actor/actor.ts'
import { startEffects } from '../../src/effects/index.ts'
import { AtOnce } from '../../src/engine/at-once.ts'
import { Engine } from '../../src/engine/engine.ts'
import { LeaseKeeper } from '../../src/engine/leases.ts'
import type {
  Clock,
  Commit,
  EffectQueue,
  Hands,
  Log,
  Mailboxes,
  Observer,
  OutgoingCommand,
  Publisher,
} from '../../src/engine/ports.ts'
import type { LiveProjections, ProjectionObserver } from '../../src/engine/read-model-ports.ts'
import { Redriver } from '../../src/engine/redriver.ts'
import { ShortWay } from '../../src/engine/short-way.ts'
import { noTracer } from '../../src/engine/trace-ports.ts'
import type { AnyProjection } from '../../src/projections/projection.ts'
import { Projector } from '../../src/projections/projector.ts'
import { RecentTurns } from '../../src/projections/recent-turns.ts'
import type { Database } from './database.ts'
import type { Faults } from './faults.ts'
import { Host } from './host.ts'
import type { Messaging } from './messaging.ts'
import type { Mix } from './mix.ts'
import type { Services } from './services.ts'
import type { Sight, Sightings } from './sightings.ts'
import type { DatabaseStore } from './watched.ts'

/** What a worker sees of the world. */
export type WorkerPorts = {
  store: DatabaseStore
  projections: LiveProjections
  mailboxes: Mailboxes
  publisher: Publisher
  effects: EffectQueue
}

export type WorkersOptions = {
  actors: Record<string, AnyActor>
  readModels: AnyProjection[]
  mix: Mix
  faults: Faults
  database: Database
  messaging: Messaging
  services: Services
  /** Puts a planted bug between the worker and its ports. */
  spoil(ports: WorkerPorts): WorkerPorts
}

type Worker = { host: Host; shortWay: ShortWay; stop(): Promise<void> }

/** The processes of the daemon: as many as the seed wants, each with the shipped engine, lease keeper, effect workers and projector. */
export class Workers {
  readonly #options: WorkersOptions
  readonly #running = new Set<Worker>()
  #started = 0

  constructor(options: WorkersOptions) {
    this.#options = options
    for (let i = 0; i < options.mix.workers; i++) this.#start()
  }

  pauseSome(forMs: number): void {
    const { faults, mix } = this.#options
    const host = this.#some()?.host
    if (!host || host.isPaused) return
    faults.trace.note(host.name, `paused for ${forMs} ms`)
    if (forMs > mix.leaseMs) faults.sightings.note('pause longer than the lease')
    host.pause()
    faults.time.plan(forMs, () => host.goOn())
  }

  stopSome(): void {
    const worker = this.#some()
    if (!worker || worker.host.isPaused) return
    const { faults } = this.#options
    faults.trace.note(worker.host.name, 'stops')
    void worker.stop().then(() => {
      if (worker.host.isDead) return
      faults.see(worker.host.name, 'graceful stop')
      worker.host.die()
    })
  }

  /** Gives a command to some process, as to its ingress, which takes the short way when it can. */
  ask(command: OutgoingCommand): void {
    const worker = this.#some()
    const { faults } = this.#options
    if (!worker) return
    faults.time.plan(faults.delayMs(), () => {
      worker.host.run(() => void worker.shortWay.send(command, askingMs).catch(() => undefined))
    })
  }

  #some(): Worker | undefined {
    return this.#running.size > 0 ? this.#options.faults.random.pick([...this.#running]) : undefined
  }

  /** Another one comes when it dies. */
  #start(): void {
    const { faults } = this.#options
    const host = new Host(`worker ${++this.#started}`, faults.time)
    faults.trace.note(host.name, 'starts')
    const worker = { host, ...this.#run(host) }
    this.#running.add(worker)
    host.whenDead(() => {
      this.#running.delete(worker)
      faults.time.plan(faults.random.between(10, 3_000), () => this.#start())
    })
  }

  /** What `startDaemon` puts together. `stop` stops it in good order. */
  #run(host: Host): Omit<Worker, 'host'> {
    const { actors, readModels, mix, faults, database, messaging, services, spoil } = this.#options
    const { partitions, batchMessages, cachedActors, bookingMs, bundleStepMs } = mix
    const { clock } = host
    const broker = messaging.connect(host)
    const { mailboxes, publisher, effects: queue, requests } = broker
    const projections = database.connectProjections(host)
    const ports = spoil({ store: database.connect(host), projections, mailboxes, publisher, effects: queue })
    const recent = new RecentTurns()
    const log = logOf(faults.sightings)
    const observer = { ...observerOf(faults.sightings), committed: ({ turns }: Commit) => recent.note(turns) }
    const limits = {
      partitions,
      batchMessages,
      cachedActors,
      deadlines: { bookingMs, bundleStepMs },
      eventsKeptMs: dayMs,
    }
    const atOnce = new AtOnce(ports.publisher, () => faults.time.nowMs, log)
    const engine = new Engine(host.name, actors, limits, { ...ports, atOnce, clock, log, observer, tracer: noTracer })
    const keeper = new LeaseKeeper(host.name, { leaseMs: mix.leaseMs, purgeMs: mix.leaseMs }, engine, {
      ...ports,
      clock,
      log,
      observer,
    })
    const owned = () => engine.partitions.map(({ id }) => id)
    const redriver = new Redriver(partitions, owned, { ...ports, redrives: ports.store, clock, log, observer })
    const shortWay = new ShortWay({
      engine: sighted(engine, faults.sightings),
      requests,
      publisher: ports.publisher,
      partitions,
      nowMs: () => faults.time.nowMs,
      gathered: (task) => faults.time.plan(1, () => host.run(task)),
    })
    engine.start()
    keeper.start()
    redriver.start()
    const projector = new Projector({
      projections: readModels,
      store: sightedTurns(recent, ports.projections, faults.sightings),
      clock,
      log,
      observer,
    })
    projector.start()
    const config = {
      GATEWAY_ADDR: 'http://services',
      TURNSTILE_PARTITIONS: partitions,
      TURNSTILE_CALLS_PER_SECOND: 500,
    }
    const callHttp = services.connect(host)
    const outside = { clock, callHttp, random: faults.random.fraction, log, observer, tracer: noTracer }
    const offer: AtOnce['offer'] = (service, hands) => atOnce.offer(service, sightedHands(hands, faults.sightings))
    const starting = untilItStarts(
      () => startEffects({ config, ...ports, offer, deliver: shortWay.deliver, ...outside }),
      clock,
    )
    const stop = async (): Promise<void> => {
      await projector.stop()
      await ports.projections.close()
      await (await starting).close()
      await redriver.stop()
      await keeper.stop()
      await engine.stop()
      await broker.close()
    }
    return { shortWay, stop }
  }
}

/** Notes what is handed over, and what comes back. */
function sighted(engine: Engine, sightings: Sightings): Pick<Engine, 'handOver'> {
  return {
    handOver(delivery) {
      const isTaken = engine.handOver({
        ...delivery,
        giveBack() {
          sightings.note('command given back')
          delivery.giveBack?.()
        },
      })
      if (isTaken) sightings.note('command handed over')
      return isTaken
    },
  }
}

/** Notes what the projector need not read back from the journal. */
function sightedTurns(recent: RecentTurns, session: LiveProjections, sightings: Sightings): LiveProjections {
  let isRead = false
  const readEvents: LiveProjections['readEvents'] = (stretches, kinds) => {
    isRead = true
    return session.readEvents(stretches, kinds)
  }
  const all = recent.before({ ...session, readEvents })
  return {
    ...all,
    async readEvents(stretches, kinds) {
      isRead = false
      const turns = await all.readEvents(stretches, kinds)
      sightings.note(isRead ? 'turns projected from the journal' : 'turns projected from memory')
      return turns
    },
  }
}

/** Notes what is carried out past the queue, and what has to go there after all. */
function sightedHands(hands: Hands, sightings: Sightings): Hands {
  return {
    areFree: (type) => hands.areFree(type),
    carryOut(effect) {
      sightings.note('effect taken at once')
      const retry = (delayMs: number): void => {
        sightings.note('effect taken at once and put into its queue')
        effect.retry(delayMs)
      }
      return hands.carryOut({ ...effect, retry })
    },
  }
}

/** As whatever watches over processes does: one that cannot start is started again. */
async function untilItStarts<T>(start: () => Promise<T>, clock: Clock): Promise<T> {
  for (;;) {
    try {
      return await start()
    } catch {
      await clock.sleep(restartMs)
    }
  }
}

const restartMs = 200
/** How long a process tries to store what its engine does not take. */
const askingMs = 1_500
const dayMs = 86_400_000

const sightsInLog: Record<string, Sight> = {
  'a commit came to an unknown end; took its partitions up again': 'partitions taken up again',
  'the service fails again and again: its calls wait': 'circuit opened',
  'Postgres refuses this turn': 'turn refused by the database',
  'the service is paused: its calls wait': 'pause of a service heard',
}

function logOf(sightings: Sightings): Log {
  const write = (_: object, message: string): void => {
    const sight = sightsInLog[message]
    if (sight) sightings.note(sight)
  }
  return { debug: write, info: write, warn: write, error: write }
}

function observerOf(sightings: Sightings): Observer & ProjectionObserver {
  const ignore = (): void => {}
  return {
    committed: ignore,
    called: ignore,
    circuit: ignore,
    paused: ignore,
    duplicates: (count) => count > 0 && sightings.note('message that had its turn left out'),
    fenced: () => sightings.note('partitions lost to another worker'),
    deadLetter: ignore,
    streamLost: () => sightings.note('loss of a stream noticed'),
    redriven: (what, count) => count > 0 && sightings.note(`${what} redriven`),
    alarmsFired: ignore,
    alarmsArmed: ignore,
    alarmsDue: ignore,
    mailboxes: ignore,
    took: ignore,
    untold: ignore,
    projectionLag: ignore,
  }
}

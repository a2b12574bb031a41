import { actors } from '../../actors/index.ts'
import { systemClock } from '../clock.ts'
import type { AtOnce } from '../engine/at-once.ts'
import { Engine } from '../engine/engine.ts'
import { LeaseKeeper } from '../engine/leases.ts'
import type { Observer } from '../engine/ports.ts'
import { Redriver } from '../engine/redriver.ts'
import { ShortWay } from '../engine/short-way.ts'
import { openRedrives } from '../store/redrive.ts'
import type { Ground } from './ground.ts'

/** Nobody waits for a redrive, and it reads long pages. */
const redriveDeadlineMs = 10_000
/** What all partitions have passed stays in the mailbox stream for so long at most. */
const purgeMs = 60_000
const dayMs = 24 * 60 * 60_000

/**
 * Takes its share of the partitions, and their turns.
 *
 * @param atOnce takes what calls this process can make itself
 * @returns the way to those partitions that does not lead by the broker
 */
export function startWorker(ground: Ground, atOnce: AtOnce): ShortWay {
  const { config, worker, log, metrics, tracer, store, broker, recent, parts } = ground
  const { mailboxes, publisher, requests } = broker
  const partitions = config.TURNSTILE_PARTITIONS
  const limits = {
    partitions,
    batchMessages: config.TURNSTILE_BATCH_MESSAGES,
    cachedActors: config.TURNSTILE_CACHED_ACTORS,
    deadlines: { bookingMs: config.BOOKING_DEADLINE_MS, bundleStepMs: config.BUNDLE_STEP_DEADLINE_MS },
    eventsKeptMs: config.TURNSTILE_EVENT_DAYS * dayMs,
  }
  const observer: Observer = {
    ...metrics.observer,
    committed(commit, ...costs) {
      metrics.observer.committed(commit, ...costs)
      recent.note(commit.turns)
    },
  }
  const ports = { store, mailboxes, publisher, atOnce, clock: systemClock, log, observer, tracer }
  const engine = new Engine(worker, actors, limits, ports)
  const keeper = new LeaseKeeper(worker, { leaseMs: config.TURNSTILE_LEASE_MS, purgeMs }, engine, ports)
  const shortWay = new ShortWay({ engine, requests, publisher, partitions, nowMs: Date.now, gathered: setImmediate })
  engine.start()
  keeper.start()
  parts.push({ name: 'engine', stop: () => engine.stop() }, { name: 'leases', stop: () => keeper.stop() })

  const redrives = openRedrives({
    url: config.POSTGRES_URL,
    applicationName: `turnstile ${worker} redrive`,
    deadlineMs: redriveDeadlineMs,
  })
  const owned = () => engine.partitions.map(({ id }) => id)
  const redriver = new Redriver(partitions, owned, { ...ports, redrives })
  redriver.start()
  parts.push({ name: 'redrives', stop: () => redrives.close() }, { name: 'redriver', stop: () => redriver.stop() })
  return shortWay
}

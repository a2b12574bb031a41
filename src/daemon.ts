import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { actors } from '../actors/index.ts'
import { services } from '../schemas/index.ts'
import { openAccess, openToAll } from './access/access.ts'
import { startRefundAudit } from './audit/refunds.ts'
import { openBroker } from './broker/nats.ts'
import { systemClock } from './clock.ts'
import type { Config } from './config.ts'
import { callHttp } from './effects/http.ts'
import { startEffects } from './effects/index.ts'
import { Engine } from './engine/engine.ts'
import { LeaseKeeper } from './engine/leases.ts'
import type { Deliver, Log } from './engine/ports.ts'
import { Redriver } from './engine/redriver.ts'
import { ShortWay } from './engine/short-way.ts'
import { createIngress } from './ingress/server.ts'
import { projections } from './projections/index.ts'
import { Projector } from './projections/projector.ts'
import type { Role } from './roles.ts'
import { openStore, prepareDatabase } from './store/postgres.ts'
import { openLiveProjections } from './store/projections.ts'
import { openRedrives } from './store/redrive.ts'
import { openRefundAudit } from './store/refund-audit.ts'
import { createLog } from './telemetry/log.ts'
import { lookAgain } from './telemetry/look.ts'
import { createMetrics } from './telemetry/metrics.ts'
import { openTracing } from './telemetry/tracing.ts'

export type Daemon = {
  /** Drains: answers what was asked, hands over what is owned, then lets go of everything. */
  stop(): Promise<void>
}

/** Nothing hangs on a read model's time but its lag, and its largest steps take a while. */
const projectorDeadlineMs = 10_000

/** Nobody waits for a redrive, and it reads long pages. */
const redriveDeadlineMs = 10_000
/** What all partitions have passed stays in the mailbox stream for so long at most. */
const purgeMs = 60_000
const dayMs = 24 * 60 * 60_000
const censusEveryMs = 5_000
/** The server looks up each consumer for it. */
const queuesEveryMs = 10_000

type Part = { name: string; stop(): Promise<void> }

/**
 * Starts everything that the roles ask for, bottom up. Resolves when it serves.
 *
 * @throws any code that says what is missing; what was started is stopped again
 */
export async function startDaemon(config: Config, roles: Role[]): Promise<Daemon> {
  const worker = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`
  const log = createLog(config.LOG_LEVEL, worker)
  const parts: Part[] = []
  try {
    await startParts(config, roles, worker, log, parts)
  } catch (error) {
    await stopParts(parts, log)
    throw error
  }
  log.info({ roles }, 'serving')
  return {
    async stop() {
      log.info({}, 'draining')
      await stopParts(parts, log)
      log.info({}, 'stopped')
    },
  }
}

async function startParts(config: Config, roles: Role[], worker: string, log: Log, parts: Part[]): Promise<void> {
  const metrics = createMetrics()
  const { observer } = metrics
  const { tracer, close } = await openTracing(config, worker, log)
  parts.push({ name: 'traces', stop: close })

  const applied = await prepareDatabase(config.POSTGRES_URL, config.TURNSTILE_PARTITIONS)
  if (applied.length > 0) log.info({ applied }, 'migrated')
  // A query that hangs must not cost the lease.
  const deadlineMs = config.TURNSTILE_LEASE_MS * 0.6
  const applicationName = `turnstile ${worker}`
  const repeatDays = config.TURNSTILE_REPEAT_DAYS
  const store = await openStore({ url: config.POSTGRES_URL, applicationName, deadlineMs, repeatDays })
  parts.push({ name: 'store', stop: () => store.close() })
  const broker = await openBroker({
    url: config.NATS_URL,
    security: config,
    prefix: config.TURNSTILE_PREFIX,
    partitions: config.TURNSTILE_PARTITIONS,
    eventDays: config.TURNSTILE_EVENT_DAYS,
    eventMib: config.TURNSTILE_EVENT_MIB,
    streamReplicas: config.TURNSTILE_STREAM_REPLICAS,
    tracer,
    log,
  })
  parts.push({ name: 'broker', stop: () => broker.close() })
  const { mailboxes, publisher } = broker
  let { requests } = broker
  let deliver: Deliver = (command) => publisher.publish([command])

  if (roles.includes('worker')) {
    const limits = {
      partitions: config.TURNSTILE_PARTITIONS,
      batchMessages: config.TURNSTILE_BATCH_MESSAGES,
      cachedActors: config.TURNSTILE_CACHED_ACTORS,
      deadlines: { bookingMs: config.BOOKING_DEADLINE_MS, bundleStepMs: config.BUNDLE_STEP_DEADLINE_MS },
      eventsKeptMs: config.TURNSTILE_EVENT_DAYS * dayMs,
    }
    const ports = { store, mailboxes, publisher, clock: systemClock, log, observer, tracer }
    const engine = new Engine(worker, actors, limits, ports)
    const keeper = new LeaseKeeper(worker, { leaseMs: config.TURNSTILE_LEASE_MS, purgeMs }, engine, ports)
    const partitions = config.TURNSTILE_PARTITIONS
    const shortWay = new ShortWay({ engine, requests, publisher, partitions, nowMs: Date.now, gathered: setImmediate })
    requests = shortWay
    deliver = shortWay.deliver
    engine.start()
    keeper.start()
    parts.push({ name: 'engine', stop: () => engine.stop() }, { name: 'leases', stop: () => keeper.stop() })
    const redrives = openRedrives({
      url: config.POSTGRES_URL,
      applicationName: `turnstile ${worker} redrive`,
      deadlineMs: redriveDeadlineMs,
    })
    const owned = () => engine.partitions.map(({ id }) => id)
    const redriver = new Redriver(config.TURNSTILE_PARTITIONS, owned, { ...ports, redrives })
    redriver.start()
    parts.push({ name: 'redrives', stop: () => redrives.close() }, { name: 'redriver', stop: () => redriver.stop() })
  }
  if (roles.includes('effects')) {
    const outside = { clock: systemClock, callHttp, log, observer, tracer }
    const ports = { effects: broker.effects, publisher, deliver, store, ...outside }
    const effects = await startEffects({ config, ...ports, random: Math.random })
    const look = async () => {
      for (const service of services) metrics.effectsLag(service, await broker.effects.waiting(service))
    }
    const queues = lookAgain({ look, everyMs: queuesEveryMs, clock: systemClock, log })
    parts.push({ name: 'effects', stop: () => effects.close() }, { name: 'queues', stop: () => queues.close() })
  }
  if (roles.includes('projector')) {
    const live = openLiveProjections({
      url: config.POSTGRES_URL,
      applicationName: `turnstile ${worker} projector`,
      deadlineMs: projectorDeadlineMs,
    })
    const projector = new Projector({ projections, store: live, clock: systemClock, log, observer })
    projector.start()
    parts.push({ name: 'read models', stop: () => live.close() }, { name: 'projector', stop: () => projector.stop() })
    const refunds = openRefundAudit({
      url: config.POSTGRES_URL,
      applicationName: `turnstile ${worker} audit`,
      deadlineMs: projectorDeadlineMs,
    })
    const stop = startRefundAudit(refunds, systemClock, log)
    parts.push({ name: 'audit log', stop: () => refunds.close() }, { name: 'refund audit', stop })
  }
  const isOpen = roles.includes('ingress')
  // A process that takes no requests has nothing to guard.
  const access = isOpen ? await openAccess(config, log) : openToAll
  parts.push({ name: 'access', stop: async () => access.close() })
  const { reads, readModels, feed } = store
  const look = async () => metrics.census(await reads.census())
  const census = lookAgain({ look, everyMs: censusEveryMs, clock: systemClock, log })
  parts.push({ name: 'census', stop: () => census.close() })
  const ingress = createIngress({ config, isOpen, access, requests, reads, readModels, feed, metrics, tracer, log })
  await ingress.listen()
  parts.push({ name: 'ingress', stop: () => ingress.drain(config.TURNSTILE_DRAIN_MS) })
}

/** Top down: who asks goes before who answers. */
async function stopParts(parts: Part[], log: Log): Promise<void> {
  for (const part of parts.reverse()) {
    try {
      await part.stop()
    } catch (error) {
      log.warn({ err: error, part: part.name }, 'did not stop cleanly')
    }
  }
}

import type { Broker } from '../broker/broker.ts'
import { brokerSettings, openBroker } from '../broker/nats.ts'
import type { Config } from '../config.ts'
import type { Log } from '../engine/ports.ts'
import type { Tracer } from '../engine/trace-ports.ts'
import { RecentTurns } from '../projections/recent-turns.ts'
import { openStore, type PostgresStore, prepareDatabase } from '../store/postgres.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'
import { openTracing } from '../telemetry/tracing.ts'
import type { Part } from './parts.ts'

/** What all roles of a process stand on. */
export type Ground = {
  config: Config
  /** Names this run of the process. */
  worker: string
  log: Log
  metrics: Metrics
  tracer: Tracer
  store: PostgresStore
  broker: Broker
  /** What this process commits, for its own projector. */
  recent: RecentTurns
  /** All that was started so far, bottom up; whoever starts something adds it. */
  parts: Part[]
}

/**
 * Brings the database up to date, and connects to it and to the broker.
 *
 * @param parts gets what was started, also when a later step fails
 * @throws any code that says what is missing
 */
export async function layGround(config: Config, worker: string, log: Log, parts: Part[]): Promise<Ground> {
  const metrics = createMetrics()
  const { tracer, close } = await openTracing(config, worker, log)
  parts.push({ name: 'traces', stop: close })

  const applied = await prepareDatabase(config.POSTGRES_URL, config.TURNSTILE_PARTITIONS)
  if (applied.length > 0) log.info({ applied }, 'migrated')
  const store = await openStore({
    url: config.POSTGRES_URL,
    applicationName: `turnstile ${worker}`,
    // A query that hangs must not cost the lease.
    deadlineMs: config.TURNSTILE_LEASE_MS * 0.6,
    repeatDays: config.TURNSTILE_REPEAT_DAYS,
  })
  parts.push({ name: 'store', stop: () => store.close() })

  const broker = await openBroker({ ...brokerSettings(config), tracer, log })
  parts.push({ name: 'broker', stop: () => broker.close() })
  return { config, worker, log, metrics, tracer, store, broker, recent: new RecentTurns(), parts }
}

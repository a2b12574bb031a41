import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../config.ts'
import type { Feed, Log, Reads, Requests } from '../engine/ports.ts'
import type { ReadModels } from '../engine/read-model-ports.ts'
import type { Tracer } from '../engine/trace-ports.ts'
import { TurnstileError } from '../errors.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { Admission } from './admission.ts'
import { createApp } from './app.ts'
import { Asker } from './asker.ts'
import { Gate } from './gate.ts'
import { DatabaseHealth } from './health.ts'
import { Live } from './live/live.ts'
import { makeOpenApi } from './openapi.ts'
import { makeDocsPage } from './pages/docs.ts'
import { PendingLimit } from './pending-limit.ts'
import { addRoutes } from './router.ts'
import { routes as allRoutes } from './routes/index.ts'
import { operationRoutes } from './routes/operation.ts'
import { Traffic } from './traffic.ts'
import { createUuidGenerator } from './uuid.ts'

export type IngressOptions = {
  config: Config
  /** Whether it takes requests. Without, it serves the routes about the process itself and no others. */
  isOpen: boolean
  requests: Requests
  reads: Reads
  feed: Feed
  readModels: ReadModels
  metrics: Metrics
  tracer: Pick<Tracer, 'request'>
  log: Log
}

/** The HTTP side of the daemon: turns a request into one command or one read, and what comes of it into the answer. */
export type Ingress = {
  /** @throws `config-invalid` when PORT or HOST cannot be listened on */
  listen(): Promise<void>
  /** Where it listens, as `http://host:port`; known once it does. */
  readonly url: string
  /**
   * Ends without a failed request: says that it is not ready and asks clients to hang up, serves on for the grace time
   * in which load balancers take notice, then closes. The broker must stay connected until this resolves.
   */
  drain(graceMs: number): Promise<void>
  /** Takes no more connections, answers what is under way, and ends. */
  close(): Promise<void>
}

/** The time that the last answers get to reach their clients, before connections that never said anything are cut. */
const lingerMs = 500

export function createIngress(options: IngressOptions): Ingress {
  const { config, isOpen, requests, reads, readModels, feed, metrics, tracer, log } = options
  const makeId = createUuidGenerator()
  const health = new DatabaseHealth(reads, log)
  metrics.dependencies({ postgres: () => health.isUp, nats: () => requests.isConnected })
  const timeoutMs = config.TURNSTILE_REQUEST_TIMEOUT_MS
  const partitions = config.TURNSTILE_PARTITIONS
  const limit = new PendingLimit(config.TURNSTILE_MAX_PENDING_REQUESTS, metrics.pendingLimit)
  const answered = (waitedMs: number, nowMs: number) => limit.note(waitedMs, nowMs)
  const asker = new Asker({ requests, reads, partitions, timeoutMs, answered, log })
  const live = new Live({ feed, partitions, log, count: metrics.listeners })
  const admission = new Admission(requests, health, asker, limit, config.TURNSTILE_MAX_LAG)
  const traffic = new Traffic({ makeId, metrics, tracer, log })
  const gate = new Gate({
    refusal: () => (isOpen && !traffic.isDraining ? admission.refusal() : undefined),
    makeId,
    metrics,
    log,
  })
  const app = createApp(traffic, gate, makeId, log)
  const routes = isOpen ? allRoutes : operationRoutes
  const openapi = makeOpenApi(routes)
  addRoutes(app, routes, {
    config,
    requests,
    reads,
    readModels,
    asker,
    admission,
    makeId,
    live,
    log,
    server: {
      notReadyBecause() {
        if (traffic.isDraining) return 'the server is stopping'
        return isOpen ? admission.standstill() : admission.outage()
      },
      metrics: () => metrics.registry.metrics(),
      openapi,
      docsPage: makeDocsPage(routes, `http://localhost:${config.PORT}`),
    },
  })

  let url = ''

  async function close(): Promise<void> {
    traffic.isDraining = true
    const closed = app.close()
    // Not before: whoever is hung up on connects again at once, and must not find this process any more.
    live.close()
    await Promise.race([traffic.finished(), sleep(timeoutMs + 1_000, undefined, { ref: false })])
    const cut = setTimeout(() => app.server.closeAllConnections(), lingerMs)
    await closed
    clearTimeout(cut)
    asker.close()
    health.close()
  }

  return {
    async listen() {
      await health.watch()
      try {
        url = await app.listen({ port: config.PORT, host: config.HOST })
      } catch (error) {
        health.close()
        throw listenFault(error, config)
      }
    },
    get url() {
      return url
    },
    async drain(graceMs) {
      traffic.isDraining = true
      await sleep(graceMs)
      await close()
    },
    close,
  }
}

function listenFault(error: unknown, { PORT, HOST }: Config): unknown {
  const faults: Record<string, string> = {
    EADDRINUSE: `PORT ${PORT} is in use on ${HOST}: stop what listens there, or set PORT to another`,
    EACCES: `PORT ${PORT} may not be listened on by this user: set PORT to one from 1024 on`,
    EADDRNOTAVAIL: `HOST ${HOST} is no address of this machine: set HOST to one that is, or to 0.0.0.0 for all`,
    ENOTFOUND: `HOST ${HOST} cannot be resolved: set HOST to an address of this machine, or to 0.0.0.0 for all`,
  }
  const fault = faults[(error as NodeJS.ErrnoException).code ?? '']
  return fault === undefined ? error : new TurnstileError('config-invalid', fault, { cause: error })
}

import { once } from 'node:events'
import type { Server } from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Access } from '../access/access.ts'
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
import { Guard } from './guard.ts'
import { DatabaseHealth } from './health.ts'
import { Live } from './live/live.ts'
import { makeOpenApi } from './openapi.ts'
import { makeDocsPage } from './pages/docs.ts'
import { PendingLimit } from './pending-limit.ts'
import { createPlacement } from './placement.ts'
import type { Route } from './route.ts'
import { createRouter } from './router.ts'
import { portsOf } from './routes/index.ts'
import { createServe } from './serve.ts'
import { Traffic } from './traffic.ts'
import { createUuidGenerator } from './uuid.ts'

export type IngressOptions = {
  config: Config
  /** Whether it takes requests. Without, it serves the routes about the process itself and no others. */
  isOpen: boolean
  access: Access
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
  /** @throws `config-invalid` when a port or HOST cannot be listened on */
  listen(): Promise<void>
  /** Where it listens, as `http://host:port`; known once it does. */
  readonly url: string
  /** The same of the port for operators; empty when they have none of their own. */
  readonly operatorUrl: string
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
  const { config, isOpen, access, requests, reads, readModels, feed, metrics, tracer, log } = options
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
  const guard = new Guard(access, config.TURNSTILE_RATE_LIMIT)
  const notReadyBecause = () => {
    if (traffic.isDraining) return 'the server is stopping'
    return isOpen ? admission.standstill() : admission.outage()
  }

  function openSide(port: number, routes: Route[]): Server {
    const server = {
      notReadyBecause,
      metrics: () => metrics.registry.metrics(),
      // At a start nobody reads them, and making them takes a tenth of it.
      openapi: whenAsked(() => makeOpenApi(routes)),
      docsPage: whenAsked(() => makeDocsPage(routes, `http://localhost:${port}`)),
    }
    const place = createPlacement(config.TURNSTILE_PARTITIONS)
    const house = { config, requests, reads, readModels, asker, admission, guard, makeId, place, live, log, server }
    const serve = createServe(routes, house, () => traffic.isDraining)
    return createApp({ gate, route: createRouter(routes), traffic, serve }, makeId)
  }

  const { PORT, OPERATOR_PORT } = config
  const ports = portsOf(isOpen, OPERATOR_PORT !== undefined)
  const main = openSide(PORT, ports.main)
  const operator = OPERATOR_PORT === undefined ? undefined : openSide(OPERATOR_PORT, ports.operator)
  const servers = operator ? [main, operator] : [main]
  let [url, operatorUrl] = ['', '']

  async function close(): Promise<void> {
    traffic.isDraining = true
    const closed = Promise.all(servers.map(takeNoMore))
    // Not before: whoever is hung up on connects again at once, and must not find this process any more.
    live.close()
    await Promise.race([traffic.finished(), sleep(timeoutMs + 1_000, undefined, { ref: false })])
    // Hangs up on whoever has been answered.
    for (const server of servers) server.close()
    const cut = setTimeout(() => {
      for (const server of servers) server.closeAllConnections()
    }, lingerMs)
    await closed
    clearTimeout(cut)
    asker.close()
    health.close()
  }

  return {
    async listen() {
      await health.watch()
      try {
        url = await listenOn(main, 'PORT', PORT, config.HOST)
        if (operator && OPERATOR_PORT !== undefined)
          operatorUrl = await listenOn(operator, 'OPERATOR_PORT', OPERATOR_PORT, config.HOST)
      } catch (error) {
        await close()
        throw error
      }
    },
    get url() {
      return url
    },
    get operatorUrl() {
      return operatorUrl
    },
    async drain(graceMs) {
      traffic.isDraining = true
      await sleep(graceMs)
      await close()
    },
    close,
  }
}

function whenAsked<T>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}

async function listenOn(server: Server, setting: string, port: number, host: string): Promise<string> {
  try {
    server.listen({ port, host })
    await once(server, 'listening')
    return urlOf(server.address() as AddressInfo)
  } catch (error) {
    throw listenFault(error, setting, port, host)
  }
}

/** Where it can be reached from this machine. */
function urlOf({ address, family, port }: AddressInfo): string {
  if (family === 'IPv6') return `http://[${address === '::' ? '::1' : address}]:${port}`
  return `http://${address === '0.0.0.0' ? '127.0.0.1' : address}:${port}`
}

/** No more connections: those that there are go on. @returns resolves once there are none. */
const takeNoMore = (server: Server): Promise<void> =>
  new Promise((resolve) => net.Server.prototype.close.call(server, () => resolve()))

function listenFault(error: unknown, setting: string, port: number, host: string): unknown {
  const faults: Record<string, string> = {
    EADDRINUSE: `${setting} ${port} is in use on ${host}: stop what listens there, or set ${setting} to another`,
    EACCES: `${setting} ${port} may not be listened on by this user: set ${setting} to one from 1024 on`,
    EADDRNOTAVAIL: `HOST ${host} is no address of this machine: set HOST to one that is, or to 0.0.0.0 for all`,
    ENOTFOUND: `HOST ${host} cannot be resolved: set HOST to an address of this machine, or to 0.0.0.0 for all`,
  }
  const fault = faults[(error as NodeJS.ErrnoException).code ?? '']
  return fault === undefined ? error : new TurnstileError('config-invalid', fault, { cause: error })
}

import { setTimeout as sleep } from 'node:timers/promises'
import {
  AuthorizationError,
  type ConnectionOptions,
  connect,
  createInbox,
  type Msg,
  type NatsConnection,
  type PublishOptions,
  type Subscription,
} from '@nats-io/transport-node'
import type { Log } from '../engine/ports.ts'
import { TurnstileError } from '../errors.ts'
import { type NatsSecurity, securityOptions } from './security.ts'

/** How long a start waits for a server that is not there yet. */
const firstConnectMs = 10_000
const retryMs = 250

type Change = 'disconnected' | 'reconnected'

type Queued = { subject: string; body: string | Uint8Array; options: PublishOptions; refused(error: Error): void }

/**
 * The one connection of this process. It reconnects for ever; what is published meanwhile is dropped by the library
 * without a word, so whoever publishes asks `isConnected` and listens to the changes.
 */
export class Connection {
  readonly nats: NatsConnection
  readonly #log: Log
  readonly #inboxPrefix: string | undefined
  readonly #listeners: Record<Change, Set<() => void>> = { disconnected: new Set(), reconnected: new Set() }
  #queue: Queued[] = []
  #isConnected = true

  /** @param inboxPrefix what our inboxes begin with, when it is not the library's own */
  constructor(nats: NatsConnection, log: Log, inboxPrefix?: string) {
    this.nats = nats
    this.#log = log
    this.#inboxPrefix = inboxPrefix
    void this.#watch()
  }

  get isConnected(): boolean {
    return this.#isConnected && !this.nats.isClosed()
  }

  /** A subject that only we listen to. */
  createInbox(): string {
    return createInbox(this.#inboxPrefix)
  }

  /** @throws `broker-unavailable` */
  check(): void {
    if (!this.isConnected)
      throw new TurnstileError('broker-unavailable', 'the NATS server cannot be reached at present')
  }

  /** Rejects as soon as the connection is lost: the answer is lost with it. Deadlines can then be patient. */
  async whileConnected<T>(request: () => Promise<T>): Promise<T> {
    this.check()
    let end = (): void => {}
    const broken = new Promise<never>((_, reject) => {
      const cause = new TurnstileError('broker-unavailable', 'the connection to NATS was lost meanwhile')
      end = this.on('disconnected', () => reject(cause))
    })
    try {
      return await Promise.race([request(), broken])
    } finally {
      end()
    }
  }

  /**
   * Publishes, in the order of the calls, all of one turn of the event loop in one write. A write of its own costs
   * tens of µs, whatever is in it, and wakes the server up.
   *
   * @param refused called, never before this returns, when the message is larger than the server takes
   */
  publish(subject: string, body: string | Uint8Array, options: PublishOptions, refused: (error: Error) => void): void {
    if (this.#queue.length === 0) setImmediate(() => this.#flush())
    this.#queue.push({ subject, body, options, refused })
  }

  /** Publishes at most once: not while disconnected, and without hearing what became of it. */
  tell(subject: string, body: string): void {
    if (!this.isConnected) return
    this.publish(subject, body, {}, (error) => this.#log.warn({ err: error, subject }, 'a message was not published'))
  }

  /** An error in a callback would end the library's reading of the connection, without a word. */
  subscribe(subject: string, handle: (message: Msg) => void, refused?: (error: Error) => void): Subscription {
    const callback = (error: Error | null, message: Msg): void => {
      try {
        if (error) refused?.(error)
        else handle(message)
      } catch (thrown) {
        this.#log.error({ err: thrown, subject: message.subject }, 'a message from NATS was not handled')
      }
    }
    return this.nats.subscribe(subject, { callback })
  }

  /** @returns what ends it */
  on(change: Change, listener: () => void): () => void {
    this.#listeners[change].add(listener)
    return () => void this.#listeners[change].delete(listener)
  }

  /** Sends what is on its way, then hangs up. */
  async close(): Promise<void> {
    if (this.nats.isClosed()) return
    this.#flush()
    if (this.isConnected)
      await Promise.race([this.nats.drain().catch(() => undefined), sleep(2_000, undefined, { ref: false })])
    await this.nats.close()
  }

  #flush(): void {
    const queue = this.#queue
    this.#queue = []
    for (const { subject, body, options, refused } of queue) {
      try {
        this.nats.publish(subject, body, options)
      } catch (error) {
        refused(error as Error)
      }
    }
  }

  async #watch(): Promise<void> {
    for await (const status of this.nats.status()) {
      if (status.type === 'disconnect') {
        this.#log.warn({ server: status.server }, 'the connection to NATS is lost; reconnecting')
        this.#set(false, 'disconnected')
      } else if (status.type === 'reconnect') {
        this.#log.info({ server: status.server }, 'connected to NATS again')
        this.#set(true, 'reconnected')
      } else if (status.type === 'error') {
        this.#log.error({ err: status.error }, 'the NATS server reports an error')
      } else if (status.type === 'ldm') {
        this.#log.info({ server: status.server }, 'the NATS server is about to stop; moving to another one')
      } else if (status.type === 'close') {
        this.#set(false, 'disconnected')
      }
    }
  }

  #set(isConnected: boolean, change: Change): void {
    this.#isConnected = isConnected
    for (const listener of this.#listeners[change]) listener()
  }
}

/**
 * @param url one server or several, separated by commas; each may carry `user:password@` or `token@`
 * @throws `broker-unavailable` when no server answers in time, or when it refuses us; `config-invalid` for a bad address
 */
export async function openConnection(url: string, security: NatsSecurity, name: string, log: Log): Promise<Connection> {
  const options = optionsOf(url, security, name)
  const deadlineMs = performance.now() + firstConnectMs
  // The library would wait by itself, but not say what it waits for, nor stop.
  for (;;) {
    try {
      return new Connection(await connect(options), log, options.inboxPrefix)
    } catch (error) {
      if (error instanceof AuthorizationError || performance.now() > deadlineMs) throw unavailable(options, error)
      log.debug({ err: error }, 'the NATS server does not answer yet')
      await sleep(retryMs)
    }
  }
}

function optionsOf(url: string, security: NatsSecurity, name: string): ConnectionOptions {
  const urls = url.split(',').map((part) => parseUrl(part.trim()))
  const { username = '', password = '' } = urls.find((one) => one.username) ?? {}
  const [user, pass] = [username, password].map(decodeURIComponent)
  return {
    servers: urls.map(({ host }) => host),
    ...(user && (pass ? { user, pass } : { token: user })),
    ...securityOptions(
      security,
      urls.some(({ protocol }) => protocol === 'tls:'),
    ),
    // A user of its own may be allowed inboxes of its own only: ops/nats/permissions.ts.
    ...(user && pass && /^[\w-]+$/.test(user) && { inboxPrefix: `_INBOX.${user}` }),
    name,
    maxReconnectAttempts: -1,
    reconnectTimeWait: retryMs,
    // Credentials that are being replaced are wrong for a moment; that must not end the process's life.
    ignoreAuthErrorAbort: true,
    timeout: 5_000,
    pingInterval: 5_000,
  }
}

function parseUrl(text: string): URL {
  const url = text.includes('://') ? text : `nats://${text}`
  if (URL.canParse(url) && new URL(url).host !== '') return new URL(url)
  throw new TurnstileError(
    'config-invalid',
    `NATS_URL must be addresses like nats://host:4222, not ${JSON.stringify(text)}`,
  )
}

function unavailable({ servers }: ConnectionOptions, cause: unknown): TurnstileError {
  const what = `there is no connection to NATS at ${String(servers)}: ${(cause as Error).message}`
  return new TurnstileError('broker-unavailable', `${what}. Is NATS_URL right, and the server running?`, { cause })
}

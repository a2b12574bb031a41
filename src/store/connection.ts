import net from 'node:net'
import postgres from 'postgres'
import { databaseUnavailable, isTransient, sqlState } from './errors.ts'
import { readEncryption } from './tls.ts'

export type Sql = postgres.Sql<{ bigint: number }>

/** Postgres' bigint as a number: positions, sequences and versions stay far below 2^53. */
export const numbers = { bigint: { to: 20, from: [20], serialize: String, parse: Number } }

export type Query<Row extends object> = (sql: Sql) => postgres.PendingQuery<Row[]>

export type ConnectionOptions = {
  url: string
  /** What `pg_stat_activity` shows. */
  applicationName: string
  /** How long a query may take, connecting and waiting its turn included. */
  deadlineMs: number
}

/**
 * One connection with one life: queries go down it in order, pipelined, and when it breaks all of them fail and it is never
 * used again. Left to itself postgres.js would connect anew and send there what had been waiting; a commit would then
 * run behind others whose fate nobody knows yet. It would also wait for ever on a peer that went silent.
 */
export class Connection {
  readonly #options: ConnectionOptions
  readonly #sql: Sql
  readonly #pending = new Set<(error: Error) => void>()
  #socket: net.Socket | undefined
  #fault: Error | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
    // `max_pipeline` and `socket` are missing in the types of postgres.js.
    const untyped = { max_pipeline: 8, socket: (target: Target) => this.#connect(target) }
    const { url, ...encryption } = readEncryption(options.url)
    this.#sql = postgres(url, {
      ...untyped,
      ...encryption,
      max: 1,
      fetch_types: false,
      idle_timeout: 0,
      max_lifetime: null,
      onnotice: () => {},
      onclose: () => this.#fail(new Error('the connection was closed')),
      types: numbers,
      connection: { application_name: options.applicationName, ...sessionSettings(options.deadlineMs) },
    })
  }

  get isBroken(): boolean {
    return this.#fault !== undefined
  }

  /** @throws `database-unavailable` when there is no answer; what Postgres itself reports as it is. */
  run<Row extends object>(query: Query<Row>): Promise<Row[]> {
    if (this.#fault) return Promise.reject(databaseUnavailable(this.#fault))
    const answer = query(this.#sql)
    return new Promise((resolve, reject) => {
      let isSettled = false
      const settle = () => {
        isSettled = true
        clearTimeout(timer)
        this.#pending.delete(fail)
      }
      const fail = (error: Error) => {
        settle()
        reject(databaseUnavailable(error))
      }
      // After the timer one look at the socket, by setImmediate: a process that was stopped for a while finds its deadlines
      // passed and the answers waiting.
      const timer = setTimeout(
        () => setImmediate(() => isSettled || this.#fail(this.#silence())),
        this.#options.deadlineMs,
      )
      this.#pending.add(fail)
      answer.then(
        (rows) => {
          settle()
          resolve([...rows])
        },
        (error) => {
          settle()
          reject(isTransient(error) ? databaseUnavailable(error) : error)
          // Of no more use: it never came up, it is down, or it leads to a standby.
          if (sqlState(error) === undefined || sqlState(error) === '25006') this.#fail(error)
        },
      )
    })
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    await this.#sql.end({ timeout: this.#options.deadlineMs / 1_000 })
    this.#fail(new Error('the store is closed'))
  }

  #fail(fault: Error): void {
    if (this.#fault) return
    this.#fault = fault
    for (const fail of this.#pending) fail(fault)
    this.#socket?.destroy()
    this.#sql.end({ timeout: 0 })
  }

  #silence(): Error {
    return new Error(`no answer within ${this.#options.deadlineMs} ms`)
  }

  /** Called by postgres.js whenever it wants to connect; it gets its way once. */
  async #connect(target: Target): Promise<net.Socket> {
    if (this.#socket || this.#fault) throw new Error('the connection is used up')
    const [host, port] = [target.host[0] ?? 'localhost', target.port[0] ?? 5432]
    // postgres.js leaves Nagle's algorithm on, which holds back a pipelined query until the one before is answered.
    const socket = target.path ? net.connect(target.path) : net.connect({ host, port, noDelay: true })
    this.#socket = socket
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.once('close', () => reject(new Error('the connection was closed')))
      socket.once('connect', resolve)
    })
    socket.removeAllListeners()
    // Where postgres.js looks for the name that a TLS certificate must bear.
    return Object.assign(socket, { host })
  }
}

type Target = { host: string[]; port: number[]; path: string | false }

/** What the store relies on, whatever the server's defaults are. The server gives up before we do. */
function sessionSettings(deadlineMs: number) {
  return {
    statement_timeout: Math.ceil(deadlineMs * 0.8),
    lock_timeout: Math.ceil(deadlineMs * 0.6),
    tcp_user_timeout: deadlineMs * 2,
    // Locks of a session go with it, so Postgres must notice when the machine at the other end is gone.
    tcp_keepalives_idle: 5,
    tcp_keepalives_interval: 2,
    tcp_keepalives_count: 3,
    default_transaction_isolation: 'read committed' as const,
    // A statement is prepared while its table is empty or not analyzed yet, and the plan that looks good then (scan it all,
    // or hash it) stays for good. Every statement of the store is a few lookups in an index: nothing else is on offer.
    plan_cache_mode: 'force_generic_plan',
    enable_seqscan: 'off',
    enable_bitmapscan: 'off',
    enable_hashjoin: 'off',
    enable_mergejoin: 'off',
    jit: 'off',
  }
}

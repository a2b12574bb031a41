import type { CallHttp, HttpAnswer } from '../../src/effects/http.ts'
import type { HttpCall } from '../../src/effects/service.ts'
import { type Faults, longestDelayMs } from './faults.ts'
import type { Host } from './host.ts'
import type { Mix } from './mix.ts'
import { type Journeys, transportation } from './transportation.ts'

/** What a service did: for whom, and under which key. */
export type Deed = { action: string; subject: string; key: string }

type Body = Record<string, unknown>
type Listeners = {
  /** A service does something for the first time under this key. */
  done(deed: Deed): void
  /** Dead Nation has taken an order. */
  ordered(bookingId: string, tickets: number): void
}

export type Handler = {
  path: RegExp
  /** What it does, once for each key. The answer is given again for the same key. */
  carryOut(body: Body, key: string, path: string): { status: number; body?: unknown }
}

/** One call that is answered with nothing but 503, for so long. */
type Stubborn = { /** Only of this service. */ of?: string; forMs: number; key?: string; untilMs?: number }

/** Longer than most bundles wait for an answer: for the deadline of a step, and once more. */
const lateMs = 12_000

const noAnswer = (): Error => new Error('socket hang up')

/** The external services: each does a thing once for each key, and answers, or not. */
export class Services {
  /** Those that answer nothing but 503 at present, by the first word of their path. */
  readonly down = new Set<string>()
  readonly sheets = new Map<string, string[][]>()
  readonly #faults: Faults
  readonly #listeners: Listeners
  readonly #answers = new Map<string, HttpAnswer>()
  readonly #files = new Set<string>()
  /** Keys that are answered with a final no. */
  readonly #refused = new Set<string>()
  readonly journeys: Journeys = new Map()
  readonly #stubborn: Stubborn[]

  constructor(faults: Faults, listeners: Listeners, { hasHopelessCall, hasLateJourney }: Mix) {
    this.#faults = faults
    this.#listeners = listeners
    this.#stubborn = [
      ...(hasHopelessCall ? [{ forMs: Number.POSITIVE_INFINITY }] : []),
      ...(hasLateJourney ? [{ of: 'transportation-api', forMs: lateMs }] : []),
    ]
    this.#handlers.push(...transportation(this.journeys, faults, (...deed) => this.#do(...deed)))
  }

  /** The way out of one process. */
  connect(host: Host): CallHttp {
    return (_gateway, call, headers, timeoutMs) => this.#call(host, call, headers['Idempotency-Key'] ?? '', timeoutMs)
  }

  #call(host: Host, call: HttpCall, key: string, timeoutMs: number): Promise<HttpAnswer> {
    const faults = this.#faults
    const { time } = faults
    const what = `${call.method} ${call.path.replace(/^\/([^/]+)-api/, '$1')} ${key.slice(-4)}`
    return new Promise((resolve, reject) => {
      const fail = (afterMs: number): void => time.plan(afterMs, () => host.run(() => reject(noAnswer())))
      const answer = (settle: () => void): void => {
        time.plan(faults.delayMs(), () => {
          host.run(settle)
          faults.crashSoon(host)
        })
      }
      const isSlow = call.method === 'POST' && call.path.startsWith('/spreadsheets') && faults.happens('slowAppend')
      time.plan(isSlow ? faults.random.between(500, longestDelayMs) : faults.delayMs(), () => {
        if (faults.crashes(host, 'crash before an effect') || !faults.outlives(host)) return
        if (faults.happens('callFailed')) {
          faults.see(host.name, 'call failed before it was carried out')
          return faults.random.chance(0.5) ? fail(1) : answer(() => resolve(overloaded))
        }
        const isHung = faults.happens('callHung')
        if (isHung) faults.see(host.name, 'call hung')
        if (isHung && faults.random.chance(0.5)) return fail(timeoutMs)
        const outcome = this.#handle(call, key)
        faults.trace.note(host.name, `${what}: ${outcome.status}`)
        if (isHung) return fail(timeoutMs)
        if (faults.crashes(host, 'crash between effect and answer')) return
        if (faults.happens('callFailed')) {
          faults.see(host.name, 'call failed after it was carried out')
          return fail(faults.delayMs())
        }
        answer(() => resolve(outcome))
      })
    })
  }

  #handle(call: HttpCall, key: string): HttpAnswer {
    const service = call.path.split('/')[1] ?? ''
    if (this.down.has(service)) return overloaded
    if (call.method === 'GET') return this.#rowsOf(call.path)
    if (this.#isStubborn(service, key)) return overloaded
    if (call.method !== 'DELETE' && this.#refuses(key))
      return { status: 400, retryAfter: undefined, body: '{"error":"not this one"}' }
    const known = this.#answers.get(key)
    if (known && service !== 'spreadsheets-api') return service === 'files-api' ? { ...known, status: 409 } : known
    const handler = this.#handlers.find(({ path }) => path.test(call.path))
    if (!handler) throw new Error(`no service takes ${call.method} ${call.path}`)
    const { status, body } = handler.carryOut('body' in call ? (call.body as Body) : {}, key, call.path)
    const answer = { status, retryAfter: undefined, body: body === undefined ? '' : JSON.stringify(body) }
    this.#answers.set(key, answer)
    return answer
  }

  #isStubborn(service: string, key: string): boolean {
    const { time, random } = this.#faults
    for (const one of this.#stubborn) {
      const mayBeIt = one.key === undefined && (one.of ?? service) === service && !this.#answers.has(key)
      if (mayBeIt && random.chance(0.3)) Object.assign(one, { key, untilMs: time.nowMs + one.forMs })
      if (one.key === key && time.nowMs < (one.untilMs ?? 0)) return true
    }
    return false
  }

  /** It says so of a key at the first attempt, and then always. */
  #refuses(key: string): boolean {
    if (this.#refused.has(key)) return true
    if (this.#answers.has(key) || !this.#faults.happens('callRefused')) return false
    this.#faults.see('services', 'call refused')
    this.#refused.add(key)
    return true
  }

  readonly #handlers: Handler[] = [
    {
      path: /^\/dead-nation-api\/ticket\/booking$/,
      carryOut: ({ booking_id, number_of_tickets }, key) => {
        this.#do('tickets ordered', booking_id, key)
        this.#listeners.ordered(String(booking_id), Number(number_of_tickets))
        return { status: 200, body: { booking_id } }
      },
    },
    {
      path: /^\/receipts-api\/receipts$/,
      carryOut: ({ ticket_id }, key) => {
        this.#do('receipt issued', ticket_id, key)
        return { status: 201, body: { number: `R-${key.slice(-4)}`, issued_at: this.#now } }
      },
    },
    {
      path: /^\/receipts-api\/void-receipt$/,
      carryOut: ({ ticket_id }, key) => {
        this.#do('receipt voided', ticket_id, key)
        return { status: 200 }
      },
    },
    {
      path: /^\/payments-api\/refunds$/,
      carryOut: ({ payment_reference }, key) => {
        this.#do('payment refunded', payment_reference, key)
        return { status: 200 }
      },
    },
    {
      path: /^\/files-api\/files\/[^/]+\/content$/,
      carryOut: (_, key, path) => {
        const name = path.split('/')[3] ?? ''
        if (this.#files.has(name)) return { status: 409 }
        this.#files.add(name)
        this.#do('file stored', name.slice(0, 36), key)
        return { status: 201 }
      },
    },
    {
      path: /^\/spreadsheets-api\/sheets\/[^/]+\/rows$/,
      carryOut: ({ columns }, key, path) => {
        const row = columns as string[]
        const sheet = path.split('/')[3] ?? ''
        this.sheets.set(sheet, [...(this.sheets.get(sheet) ?? []), row])
        this.#do(`row in ${sheet}`, row[0], key)
        return { status: 200 }
      },
    },
  ]

  get #now(): string {
    return new Date(this.#faults.time.nowMs).toISOString()
  }

  #do(action: string, subject: unknown, key: string): void {
    this.#listeners.done({ action, subject: String(subject), key })
  }

  #rowsOf(path: string): HttpAnswer {
    const rows = this.sheets.get(path.split('/')[3] ?? '') ?? []
    return { status: 200, retryAfter: undefined, body: JSON.stringify({ rows }) }
  }
}

const overloaded: HttpAnswer = { status: 503, retryAfter: '1', body: 'overloaded' }

import { Recent } from './recent.ts'

/** So many requests in so many seconds. */
export type Rate = { requests: number; seconds: number }

/** What a caller has left: whole requests, and the seconds until there is one, or until all are there again. */
export type Allowance = { isAllowed: boolean; remaining: number; resetS: number }

type Bucket = { tokens: number; atMs: number }

/** Whoever has not asked for longest is forgotten when there are more, and so begins anew with a full bucket. */
const maxCallers = 20_000

/** A token bucket for each caller: a full one lets `requests` through at once, an empty one fills in `seconds`. */
export class RateLimit {
  readonly #rate: Rate
  readonly #buckets: Recent<Bucket>

  constructor(rate: Rate, callers = maxCallers) {
    this.#rate = rate
    this.#buckets = new Recent(callers)
  }

  get callers(): number {
    return this.#buckets.size
  }

  /** @param nowMs of a clock that never goes back */
  take(caller: string, nowMs: number): Allowance {
    const { requests, seconds } = this.#rate
    const perMs = requests / (seconds * 1_000)
    const bucket = this.#buckets.get(caller) ?? { tokens: requests, atMs: nowMs }
    const tokens = Math.min(requests, bucket.tokens + (nowMs - bucket.atMs) * perMs)
    const isAllowed = tokens >= 1
    const left = isAllowed ? tokens - 1 : tokens
    this.#buckets.set(caller, { tokens: left, atMs: nowMs })
    const untilMs = (isAllowed ? requests - left : 1 - left) / perMs
    return { isAllowed, remaining: Math.floor(left), resetS: Math.ceil(untilMs / 1_000) }
  }
}

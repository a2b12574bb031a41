import type { ServiceName } from './service.ts'

export type Call = {
  at: string
  service: ServiceName
  method: string
  path: string
  idempotency_key: string | undefined
  correlation_id: string | undefined
  traceparent: string | undefined
  body: unknown
  status: number
}

export type Counts = {
  /** How many calls it got. */
  calls: Record<string, number>
  /** How many of them found their work done before. */
  repeats: Record<string, number>
  distinct_keys: Record<string, number>
  /** How often the work of each idempotency key was done: 1, if all is well. */
  effects_by_key: Record<string, Record<string, number>>
}

type Seen = { calls: number; repeats: number; effects: Map<string, number> }

const keptCalls = 50

/** What the services received. */
export class Received {
  readonly lastCalls: Call[] = []
  readonly #byService = new Map<ServiceName, Seen>()

  constructor(services: readonly ServiceName[]) {
    for (const name of services) this.#byService.set(name, { calls: 0, repeats: 0, effects: new Map() })
  }

  record(call: Call, isRepeat: boolean): void {
    const seen = this.#byService.get(call.service)
    if (seen === undefined) throw new Error(`no such service: ${call.service}`)
    const { idempotency_key: key, method, status } = call
    seen.calls += 1
    if (isRepeat) seen.repeats += 1
    if (key !== undefined) {
      const isEffect = status < 300 && method !== 'GET' && !isRepeat
      seen.effects.set(key, (seen.effects.get(key) ?? 0) + (isEffect ? 1 : 0))
    }
    this.lastCalls.unshift(call)
    this.lastCalls.length = Math.min(this.lastCalls.length, keptCalls)
  }

  counts(): Counts {
    const by = <T>(value: (seen: Seen) => T): Record<string, T> =>
      Object.fromEntries([...this.#byService].map(([name, seen]) => [name, value(seen)]))
    return {
      calls: by(({ calls }) => calls),
      repeats: by(({ repeats }) => repeats),
      distinct_keys: by(({ effects }) => effects.size),
      effects_by_key: by(({ effects }) => Object.fromEntries(effects)),
    }
  }
}

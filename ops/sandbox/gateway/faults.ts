import { z } from 'zod'
import type { ServiceName } from './service.ts'

/**
 * What can be wrong with a service. Several at once all strike: it hangs, then says the status instead of doing anything,
 * or does it and answers garbage, late, or not at all.
 */
const fault = z.strictObject({
  /** Answers this, and does nothing. */
  status: z.int().min(400).max(599).optional(),
  /** Does it at once, and answers so much later. */
  delay_ms: z.int().min(0).max(600_000).optional(),
  /** Does it, and resets the connection in place of an answer. */
  reset_after_success: z.boolean().optional(),
  /** Does it, and answers 200 with what nobody can read. */
  garbage: z.boolean().optional(),
  /** Does nothing for so long; then does it, unless the caller has gone. */
  hang_ms: z.int().min(0).max(600_000).optional(),
  /** The share of calls that it strikes, all without. */
  probability: z.number().min(0).max(1).optional(),
  /** Strikes only calls that have this in their method, path or body: one flight, or cancellations alone. */
  about: z.string().min(1).optional(),
})
/** Who sells can be sold out. What was bought can still be canceled. */
const sellersFault = fault.extend({ sold_out: z.boolean().optional() })

/** One, or several of which the first that hits a call strikes it. */
const oneOrSeveral = <T extends z.ZodType>(schema: T) => z.union([schema, z.array(schema)]).optional()
const faultOfAny = oneOrSeveral(fault)
const faultOfSeller = oneOrSeveral(sellersFault)

/** By service, as `PUT /_faults` takes them. An empty one clears the service's faults. */
const settings = z.strictObject({
  'dead-nation': faultOfSeller,
  receipts: faultOfAny,
  payments: faultOfAny,
  spreadsheets: faultOfAny,
  files: faultOfAny,
  transportation: faultOfSeller,
}) satisfies z.ZodType<Partial<Record<ServiceName, unknown>>>

export type Fault = z.infer<typeof sellersFault>
export type FaultKind = Exclude<keyof Fault, 'probability' | 'about'>
export type FaultSettings = z.input<typeof settings>

type SetFault = Fault & { /** How often each has struck. */ struck: Partial<Record<FaultKind, number>> }

/** The faults that are set, and how often they struck. */
export class Faults {
  readonly #faults = new Map<string, SetFault[]>()

  /** Replaces the faults of the services that it names. @throws when it makes no sense */
  set(body: unknown): void {
    for (const [service, given = []] of Object.entries(settings.parse(body))) {
      const faults = [given].flat().filter((fault) => Object.values(fault).some((value) => value !== undefined))
      if (faults.length > 0) {
        const set = faults.map((fault) => ({ ...fault, struck: {} }))
        this.#faults.set(service, set)
      } else this.#faults.delete(service)
    }
  }

  clear(): void {
    this.#faults.clear()
  }

  /** One alone is shown as it was set: without a list around it. */
  show(): Record<string, SetFault | SetFault[]> {
    const shown = [...this.#faults].map(([service, [first, ...others]]) => {
      return [service, others.length === 0 ? first : [first, ...others]]
    })
    return Object.fromEntries(shown)
  }

  /**
   * One call's luck.
   *
   * @param call its method, path and body
   * @returns what is wrong with it; ask with `strike`, which counts
   */
  draw(service: string, call: string): { strike<K extends FaultKind>(kind: K): Fault[K] } {
    const hit = this.#faults.get(service)?.find(({ about = '', probability = 1 }) => {
      return call.includes(about) && Math.random() < probability
    })
    return {
      strike(kind) {
        const value = hit?.[kind]
        if (hit && value) hit.struck[kind] = (hit.struck[kind] ?? 0) + 1
        return value
      },
    }
  }
}

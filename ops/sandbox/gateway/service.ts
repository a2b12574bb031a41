/** A call that arrived, its body parsed when it was JSON. */
export type GatewayRequest = {
  method: string
  /** Below the service's own prefix, e.g. `/ticket/booking`. */
  path: string
  idempotencyKey: string | undefined
  body: unknown
}

export type Answer = { status: number; body?: unknown }

/** One simulated external service: what lies below `/<prefix>/`. */
export type Service = {
  name: string
  prefix: string
  handle(request: GatewayRequest): Answer
  /** Ends what it still has under way. */
  close(): void
}

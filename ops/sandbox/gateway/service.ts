/** A call that arrived. */
export type GatewayRequest = {
  method: string
  /** Below the service's own prefix, e.g. `/ticket/booking`. */
  path: string
  idempotencyKey: string | undefined
  /** A service that traces hands it on to what it calls itself. */
  traceparent: string | undefined
  /** As it came. */
  text: string
  /** Parsed, when it was JSON. */
  body: unknown
}

/** `isRepeat`: it was done before, and nothing was done now. */
export type Answer = { status: number; body?: unknown; isRepeat?: boolean }

/** One simulated external service: what lies below `/<name>-api/`. */
export type Service = {
  name: ServiceName
  handle(request: GatewayRequest): Answer
  /** What it has done, for the report. */
  state(): object
  /** Ends what it still has under way. */
  close?(): void
}

export type ServiceName = 'dead-nation' | 'receipts' | 'payments' | 'spreadsheets' | 'files' | 'transportation'

export const noSuchCall: Answer = { status: 404, body: { error: 'no such call' } }

export const badRequest = (error: string): Answer => ({ status: 400, body: { error } })

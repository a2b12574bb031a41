import type { Caller } from '../access/roles.ts'
import type { Span, TracedAnswer } from '../engine/trace-ports.ts'
import type { HttpRequest } from './exchange.ts'
import type { Found } from './router.ts'

/** One request on its way through the house, and what is found out about it there. */
export type Visit = {
  request: HttpRequest
  found: Found
  correlationId: string
  /** Of the request itself if its story is followed, else as it came. */
  traceparent: string | undefined
  /** Who asks, where that is asked. */
  caller: Caller | undefined
  /** Headers that the answer will have, whatever it is. */
  headers: Record<string, string>
  beganMs: number
  span: Span<TracedAnswer> | undefined
}

/** Where in a trace something stands: what OpenTelemetry calls a span context. */
export type TraceContext = { traceId: string; spanId: string; isSampled: boolean }

/** https://www.w3.org/TR/trace-context: version 00 ends with the flags, later ones may go on, ff is none. */
const ids = '-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}'
const pattern = new RegExp(`^(?:00${ids}|(?!00|ff)[0-9a-f]{2}${ids}(?:-[\\x21-\\x7e]{0,200})?)$`)

export const isTraceparent = (text: string): boolean => pattern.test(text)

/** Of one that is valid: whoever takes in what others have written makes sure of that. */
export function readTraceparent(text: string): TraceContext {
  return { traceId: text.slice(3, 35), spanId: text.slice(36, 52), isSampled: isSampled(text) }
}

/** The lowest bit of the flags. It is asked at every turn, and costs hardly anything. */
export const isSampled = (text: string): boolean => '13579bdf'.includes(text.charAt(54))

/** As version 00 writes it. */
export const formatTraceparent = ({ traceId, spanId, isSampled }: TraceContext): string =>
  `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`

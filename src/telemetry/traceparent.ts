/** Where in a trace something stands: what OpenTelemetry calls a span context. */
export type TraceContext = { traceId: string; spanId: string; isSampled: boolean }

/** https://www.w3.org/TR/trace-context: version 00 ends with the flags, later ones may go on, ff is none. */
const ids = '-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}'
const pattern = new RegExp(`^(?:00${ids}|(?!00|ff)[0-9a-f]{2}${ids}(?:-[\\x21-\\x7e]{0,200})?)$`)

export const isTraceparent = (text: string): boolean => pattern.test(text)

/** Nothing for none, and for one that is not valid: that counts as none, as W3C asks. */
export function parseTraceparent(text: string | undefined): TraceContext | undefined {
  if (text === undefined || !isTraceparent(text)) return undefined
  const [, traceId = '', spanId = '', flags = ''] = text.split('-', 4)
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

/** As version 00 writes it. */
export const formatTraceparent = ({ traceId, spanId, isSampled }: TraceContext): string =>
  `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`

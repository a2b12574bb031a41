import { hash } from 'node:crypto'

/** Those of a span that is about to begin. What is not given is random. */
export type PlannedIds = { traceId?: string; spanId?: string }

/** The SDK asks for ids while it begins a span, and takes them in no other way: so what is planned is set just before. */
export class SpanIds {
  planned: PlannedIds = {}

  generateTraceId = (): string => this.planned.traceId ?? randomHex() + randomHex()

  generateSpanId = (): string => this.planned.spanId ?? randomHex()
}

/** 16 digits. They are no secret, and a source of secrets costs as much as all the rest of a span. */
const randomHex = (): string => randomDigits() + randomDigits()

function randomDigits(): string {
  const random = Math.random() * 2 ** 32
  return `${fourDigits[random >>> 16]}${fourDigits[random & 0xffff]}`
}

/** All there are: to look them up costs a fifth of what it costs to write a number. */
const fourDigits = Array.from({ length: 2 ** 16 }, (_, number) => number.toString(16).padStart(4, '0'))

type Turn = { to: { kind: string; id: string }; messageId: string }

/** The same for whoever takes the turn, and however often. The trace is that of a message that comes without one. */
export function idsOfTurn({ to, messageId }: Turn): Required<PlannedIds> {
  const digest = hash('sha256', `${to.kind}.${to.id}/${messageId}/span`, 'hex')
  return { traceId: digest.slice(0, 32), spanId: digest.slice(32, 48) }
}

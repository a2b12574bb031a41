import { hash } from 'node:crypto'

/** Those of a span that is about to begin. What is not given is random. */
export type PlannedIds = { traceId?: string; spanId?: string }

/** The SDK asks for ids while it begins a span, and takes them in no other way: so what is planned is set just before. */
export class SpanIds {
  planned: PlannedIds = {}

  generateTraceId = (): string => this.planned.traceId ?? randomDigits(32)

  generateSpanId = (): string => this.planned.spanId ?? randomDigits(16)
}

const words = new Uint32Array(1_024)
const bytes = Buffer.from(words.buffer)
let page = ''
let used = 0

/**
 * So many hexadecimal ones, cut off a page of them: to write each number by itself costs as much as all the rest of a story that is
 * not followed. They are no secret, and a source of secrets costs more still.
 */
function randomDigits(count: number): string {
  if (used + count > page.length) {
    for (let index = 0; index < words.length; index++) words[index] = Math.random() * 2 ** 32
    page = bytes.toString('hex')
    used = 0
  }
  used += count
  return page.slice(used - count, used)
}

type Turn = { to: { kind: string; id: string }; messageId: string }

/** The same for whoever takes the turn, and however often. The trace is that of a message that comes without one. */
export function idsOfTurn({ to, messageId }: Turn): Required<PlannedIds> {
  const digest = hash('sha256', `${to.kind}.${to.id}/${messageId}/span`, 'hex')
  return { traceId: digest.slice(0, 32), spanId: digest.slice(32, 48) }
}

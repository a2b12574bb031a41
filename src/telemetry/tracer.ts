import { type Span as OtelSpan, type Tracer as OtelTracer, SpanKind, type SpanOptions } from '@opentelemetry/api'
import type { Address, TurnRecord } from '../engine/ports.ts'
import type { Tracer } from '../engine/trace-ports.ts'
import { idsOfTurn, type SpanIds } from './span-ids.ts'
import { beginBy, closeHttp, contextOf, fail, sampledSpanOf, spanOf } from './spans.ts'
import { isSampled, readTraceparent } from './traceparent.ts'

/**
 * The house's stories as OpenTelemetry's spans, named by its semantic conventions. Whether a story that comes with a context is
 * followed its flags say; the sampler is asked of those that begin here. Attributes are set at the end, each once: the SDK copies
 * what it is given at the beginning three times, and to merge objects first costs more than to set them one after the other.
 */
export function createTracer(otel: OtelTracer, ids: SpanIds): Tracer {
  const begin = beginBy(otel, ids)
  return {
    request({ method, path, traceparent }) {
      if (isLeftAlone(traceparent)) return undefined
      const span = begin(method, { kind: SpanKind.SERVER }, traceparent)
      return sampledSpanOf(span, traceparent, (span, { status, route }) => {
        span.setAttributes({ 'http.request.method': method, 'url.path': path, 'url.scheme': 'http' })
        if (route !== undefined) span.updateName(`${method} ${route}`).setAttribute('http.route', route)
        closeHttp(span, status, 500)
      })
    },

    turn(message) {
      const { to, type, isDelivered } = message
      const { traceparent } = message.meta
      if (isLeftAlone(traceparent)) return undefined
      const kind = isDelivered ? SpanKind.CONSUMER : SpanKind.INTERNAL
      const span = begin(turnName(to, type), { kind }, traceparent, idsOfTurn(message))
      return sampledSpanOf(span, traceparent, describeTurn)
    },

    commit(turns, size) {
      const contexts = turns.flatMap(({ traceparent }) => (isSampled(traceparent) ? traceparent : []))
      const [first] = contexts
      if (first === undefined) return undefined
      const links = contexts.map((context) => ({ context: contextOf(context) }))
      return spanOf(begin('commit', { kind: SpanKind.CLIENT, links }, first), (span) => {
        span.setAttributes({
          'db.system.name': 'postgresql',
          'db.operation.name': 'commit',
          'db.operation.batch.size': size,
        })
      })
    },

    turnsAgain(turns) {
      for (const turn of turns) {
        const { kind, actorId: id, message, messageId, meta, at } = turn
        if (!isFollowed(meta.traceparent)) continue
        const own = readTraceparent(meta.traceparent)
        const to = { kind, id }
        // Another one is the message's: nobody followed the turn.
        if (own.spanId !== idsOfTurn({ to, messageId }).spanId) continue
        const options: SpanOptions = { kind: SpanKind.CONSUMER, startTime: Date.parse(at) }
        const span = begin(turnName(to, message.type), options, meta.parent, own)
        describeTurn(span, turn)
        span.setAttribute('turnstile.told_again', true).end(Date.parse(at))
      }
    },

    deadLetter({ kind, actorId: id, type, messageId, meta: { traceparent }, code }) {
      if (isLeftAlone(traceparent)) return
      const to = { kind, id }
      // Not with the ids of the turn: that is the one which it has when it comes back.
      const span = begin(turnName(to, type), { kind: SpanKind.CONSUMER }, traceparent)
      span.setAttributes(messageAttributes('process', 'turn', messageId)).setAttributes(actorAttributes(to))
      fail(span, code)
      span.end()
    },

    publish({ messageId, meta: { traceparent } }, subject) {
      if (!isFollowed(traceparent)) return undefined
      const template = templateOf(subject)
      // Not PRODUCER: that is for a span whose own context the message carries.
      return spanOf(begin(`publish ${template}`, { kind: SpanKind.CLIENT }, traceparent), (span) => {
        span.setAttributes(messageAttributes('send', 'publish', messageId)).setAttributes({
          'messaging.destination.name': subject,
          'messaging.destination.template': template,
        })
      })
    },

    effect({ service, type, actor, messageId, attempt, meta: { traceparent } }) {
      if (!isFollowed(traceparent)) return undefined
      const span = begin(`effect ${service}.${type}`, { kind: SpanKind.CONSUMER }, traceparent)
      return spanOf(span, (span, outcome) => {
        span.setAttributes(messageAttributes('process', 'effect', messageId)).setAttributes(actorAttributes(actor))
        span.setAttributes({
          'turnstile.service': service,
          'turnstile.effect.attempt': attempt,
          'turnstile.effect.outcome': outcome,
        })
        if (outcome === 'temporary') fail(span, outcome)
      })
    },

    call({ method, url, attempt, traceparent }) {
      if (!isFollowed(traceparent)) return undefined
      const { hostname, port, protocol } = new URL(url)
      const attributes = {
        'http.request.method': method,
        'url.full': url,
        'server.address': hostname,
        'server.port': Number(port || (protocol === 'https:' ? 443 : 80)),
        ...(attempt > 1 && { 'http.request.resend_count': attempt - 1 }),
      }
      const span = begin(method, { kind: SpanKind.CLIENT, attributes }, traceparent)
      return spanOf(span, (span, result) => {
        if ('failed' in result) fail(span, result.failed)
        else closeHttp(span, result.status, 400)
      })
    },
  }
}

/** It is a part of a story that is followed. */
const isFollowed = (traceparent: string | undefined): traceparent is string =>
  traceparent !== undefined && isSampled(traceparent)

/** It is a part of one that is not. */
const isLeftAlone = (traceparent: string | undefined): boolean => traceparent !== undefined && !isSampled(traceparent)

const turnName = ({ kind }: Address, type: string): string => `turn ${kind}.${type}`

function describeTurn(
  span: OtelSpan,
  { kind, actorId: id, messageId, partition, version, decision }: TurnRecord,
): void {
  span.setAttributes(messageAttributes('process', 'turn', messageId)).setAttributes(actorAttributes({ kind, id }))
  span.setAttributes({
    'messaging.destination.partition.id': String(partition),
    'turnstile.turn.version': version,
    'turnstile.turn.outcome': decision.outcome,
  })
  if (decision.because !== undefined) span.setAttribute('turnstile.turn.because', decision.because)
}

const actorAttributes = ({ kind, id }: Address) => ({ 'turnstile.actor.kind': kind, 'turnstile.actor.id': id })

const messageAttributes = (type: 'send' | 'process', name: string, id: string) => ({
  'messaging.system': 'nats',
  'messaging.operation.type': type,
  'messaging.operation.name': name,
  'messaging.message.id': id,
})

/** The subject without what names one actor or its partition, so that spans of one kind have one name. */
const templateOf = (subject: string): string =>
  subject.replace(/(?<=\.)\d+(?=\.)/, '{partition}').replace(/(?<=\.)[0-9a-f]{8}-[0-9a-f-]{27}(?=\.)/, '{id}')

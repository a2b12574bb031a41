import http from 'node:http'
import { json } from 'node:stream/consumers'
import { freePort } from '../../ops/sandbox/ports.ts'

/** A span as OTLP has it in JSON, with its attributes as a record. */
export type CollectedSpan = {
  traceId: string
  spanId: string
  /** Empty for the first of a trace. */
  parentSpanId: string
  name: string
  startTimeUnixNano: string
  attributes: Record<string, string | number | boolean>
  links: { traceId: string; spanId: string }[]
  /** The process that it comes from. */
  worker: string
}

type Attribute = { key: string; value: { stringValue?: string; intValue?: number | string; boolValue?: boolean } }
type Sent = Omit<CollectedSpan, 'attributes' | 'parentSpanId' | 'links'> & {
  attributes: Attribute[]
  parentSpanId?: string
  links?: CollectedSpan['links']
}
type Export = {
  resourceSpans: { resource: { attributes: Attribute[] }; scopeSpans: { spans: Sent[] }[] }[]
}

/** A collector that takes traces as JSON over HTTP, as an OpenTelemetry collector does, and keeps them. */
export async function startCollector() {
  const spans: CollectedSpan[] = []
  const server = http.createServer(async (request, response) => {
    if (request.url !== '/v1/traces') return response.writeHead(404).end()
    spans.push(...spansOf((await json(request)) as Export))
    return response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}')
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const spansOf = ({ resourceSpans }: Export): CollectedSpan[] =>
  resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const worker = String(recordOf(resource.attributes)['service.instance.id'])
    const sent = scopeSpans.flatMap(({ spans }) => spans)
    return sent.map(({ parentSpanId = '', links = [], attributes, ...span }) => {
      return { ...span, parentSpanId, links, attributes: recordOf(attributes), worker }
    })
  })

const recordOf = (attributes: Attribute[]): CollectedSpan['attributes'] =>
  Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue, boolValue } }) => {
      return [key, stringValue ?? boolValue ?? Number(intValue)]
    }),
  )

/** The trace of which a span of this name is the first. */
export function traceFrom(spans: CollectedSpan[], name: string): CollectedSpan[] {
  const first = spans.find((span) => span.name === name && span.parentSpanId === '')
  return spans.filter(({ traceId }) => traceId === first?.traceId)
}

/** Those that stand below a span that is not there. */
export function orphansOf(trace: CollectedSpan[]): CollectedSpan[] {
  const ids = new Set(trace.map(({ spanId }) => spanId))
  return trace.filter(({ parentSpanId }) => parentSpanId !== '' && !ids.has(parentSpanId))
}

/**
 * A trace as text, a line for each span below what caused it, siblings by the time when they began.
 *
 * @throws when it is no tree: two begin it, a span comes twice, or one stands below a span that is not there
 */
export function drawTree(trace: CollectedSpan[]): string[] {
  if (new Set(trace.map(({ spanId }) => spanId)).size < trace.length) throw new Error('a span is there twice')
  const roots = trace.filter(({ parentSpanId }) => parentSpanId === '')
  if (roots.length !== 1) throw new Error(`it has ${roots.length} beginnings: ${namesOf(roots)}`)
  const orphans = orphansOf(trace)
  if (orphans.length > 0) throw new Error(`what caused these is not there: ${namesOf(orphans)}`)
  const below = (parentId: string, depth: number): string[] =>
    trace
      .filter(({ parentSpanId }) => parentSpanId === parentId)
      .sort((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)))
      .flatMap((span) => [`${'  '.repeat(depth)}${lineOf(span)}`, ...below(span.spanId, depth + 1)])
  const lines = below('', 0)
  // What is in a circle is below no beginning.
  if (lines.length < trace.length) throw new Error('it has a circle')
  return lines
}

const namesOf = (spans: CollectedSpan[]): string => spans.map(({ name }) => name).join(', ')

const telling = [
  'turnstile.turn.outcome',
  'turnstile.effect.outcome',
  'http.response.status_code',
  'turnstile.told_again',
]

/** What it is, and what came of it. */
function lineOf({ name, attributes }: CollectedSpan): string {
  const url = attributes['url.full']
  const path = typeof url === 'string' ? [new URL(url).pathname.replaceAll(/[0-9a-f-]{36}/g, '{id}')] : []
  const results = telling.flatMap((key) => (key in attributes ? String(attributes[key]) : []))
  return [name, ...path, ...results.map((result) => (result === 'true' ? '(told again)' : result))].join(' ')
}

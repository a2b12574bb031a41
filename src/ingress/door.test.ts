import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import net, { type AddressInfo, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, test } from 'node:test'
import { until } from '../../test/support/wait.ts'
import { noTracer } from '../engine/trace-ports.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'
import { openDoor } from './door.ts'
import type { Answer } from './exchange.ts'
import { Gate } from './gate.ts'
import { requestOf, wayBackBy } from './node-request.ts'
import { type Reception, receive } from './reception.ts'
import type { Found } from './router.ts'
import { events } from './routes/events.ts'
import { reportTickets } from './routes/tickets.ts'
import { Traffic } from './traffic.ts'
import type { Visit } from './visit.ts'

const log = { debug() {}, info() {}, warn() {}, error() {} }

let isFull = false
/** What came as far as Node's parser. */
let parsed: string[] = []
/** What was served, either way. */
let served: string[] = []
let traffic: Traffic
let metrics: Metrics
let server: Server
let socket: Socket
/** The server's end of it. */
let accepted: Socket
let said = 0
/** Lets the answer to `/slow` go. */
let release: () => void
let received = ''

beforeEach(async () => {
  isFull = false
  parsed = []
  served = []
  metrics = createMetrics()
  const makeId = () => 'made'
  const refusal = () => (isFull ? ({ code: 'overloaded', detail: 'full' } as const) : undefined)
  traffic = new Traffic({ makeId, metrics, tracer: noTracer, log })
  const reception: Reception = { gate: new Gate({ refusal, makeId, metrics, log }), route, traffic, serve }
  server = createServer({ requireHostHeader: false })
  server.on('request', (incoming, response) => {
    parsed.push(`${incoming.method} ${incoming.url}`)
    receive(reception, requestOf(incoming), route('', incoming.url ?? ''), wayBackBy(response))
  })
  openDoor(server, reception)
  server.on('connection', (connection) => (accepted = connection))
  server.on('clientError', (_, broken) => broken.destroy())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  await connect()
})

/** The first request of a connection is the parser's. */
async function connect(): Promise<void> {
  said = 0
  received = ''
  socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1').setNoDelay(true)
  socket.setEncoding('latin1').on('data', (chunk) => (received += chunk))
  await say('GET /first HTTP/1.1\r\nHost: x\r\n\r\n')
  await answers(1)
}

function route(_: string, target: string): Found {
  return { pattern: target, route: target === '/stream' ? events : reportTickets, params: {} }
}

async function serve({ request, headers }: Visit): Promise<Answer> {
  const body = String(await request.readBody())
  served.push(`${request.method} ${request.target} ${body}`)
  if (request.target === '/slow') await new Promise<void>((resolve) => (release = resolve))
  if (request.target === '/stream') return { status: 200, headers, body: Readable.from(['ok']) }
  const close = traffic.isDraining ? { Connection: 'close' } : {}
  return { status: 200, headers: { ...headers, ...close, 'Content-Length': '2' }, body: 'ok' }
}

afterEach(() => {
  socket.destroy()
  server.close()
})

/** Each as a chunk of its own: the next is written when the last has been read. */
async function say(...chunks: string[]): Promise<void> {
  for (const chunk of chunks) {
    socket.write(chunk, 'latin1')
    said += chunk.length
    await until('it is read', () => accepted?.bytesRead === said || accepted?.destroyed === true)
  }
}

async function answers(count: number): Promise<string[]> {
  const statuses = () => received.match(/HTTP\/1\.1 \d+/g) ?? []
  await until(`${count} answers`, () => statuses().length >= count)
  return statuses().map((line) => line.slice(-3))
}

const post = (path: string, body = '{}', headers = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`

test('a whole request is served past the parser, as often as it comes', async () => {
  await say(post('/a', '{"a":1}'))
  await answers(2)
  await say('GET /b HTTP/1.1\r\nHost: x\r\nCorrelation-ID:  story-1 \r\nConnection: Keep-Alive\r\n\r\n')
  await answers(3)
  assert.deepEqual(parsed, ['GET /first'])
  assert.deepEqual(served, ['GET /first ', 'POST /a {"a":1}', 'GET /b '])
  assert.match(received, /Correlation-ID: story-1\r\n/)
})

test('it is turned away there too, without being served', async () => {
  isFull = true
  await say(post('/a', '{}', 'Correlation-ID: story-1\r\n'), post('/b'), 'GET /c HTTP/1.1\r\nHost: x\r\n\r\n')
  assert.deepEqual(await answers(4), ['200', '503', '503', '200'])
  assert.deepEqual(parsed, ['GET /first'])
  assert.deepEqual(served, ['GET /first ', 'GET /c '])
  assert.match(received, /Retry-After: 1\r\n/)
  assert.match(received, /Correlation-ID: story-1\r\n/)
})

test("a body in several pieces is the parser's, and followed to its end", async () => {
  const long = post('/long', 'x'.repeat(3_000))
  await say(long.slice(0, 500), long.slice(500, 2_000), long.slice(2_000))
  await answers(2)
  await say(post('/next'))
  await answers(3)
  assert.deepEqual(parsed, ['GET /first', 'POST /long'])
})

for (const [name, request] of [
  ['an answer that is a stream', 'GET /stream HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['HEAD', 'HEAD /head HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['a header that is there twice', post('/twice', '{}', 'Idempotency-Key: a\r\nidempotency-key: b\r\n')],
  ['no host', 'GET /hostless HTTP/1.1\r\nX: x\r\n\r\n'],
] as const) {
  test(`${name} is for the parser, and what follows is not`, async () => {
    await say(request)
    await answers(2)
    await until('it is at rest', () => accepted.writableLength === 0)
    await say(post('/next'))
    await answers(3)
    assert.equal(parsed.length, 2)
    assert.equal(served.at(-1), 'POST /next {}')
  })
}

for (const [name, chunks, expected] of [
  ['a head in two pieces', [post('/a').slice(0, 20), post('/a').slice(20)], ['POST /a']],
  ['a head whose second piece looks like a request', splitToDeceive(), ['POST /outer']],
  ['two requests in one piece', [post('/a') + post('/b')], ['POST /a', 'POST /b']],
  ['a body and the next request in one piece', splitBody(), ['POST /long', 'POST /b']],
  [
    'a chunked body',
    ['POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'],
    ['POST /a'],
  ],
  ['a length with a blank before its colon', ['POST /a HTTP/1.1\r\nHost: x\r\nContent-Length : 2\r\n\r\n{}'], []],
  ['two lengths', ['POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}'], []],
  ['a length and another', ['POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2, 2\r\n\r\n{}'], []],
  ['a length with a sign', ['POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\n{}'], []],
  ['an empty length', ['POST /a HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n'], []],
  ['a length and chunks', [post('/a', '{}', 'Transfer-Encoding: chunked\r\n')], []],
  ['lines that end without a return', [post('/a').replaceAll('\r', '')], []],
  ['a line that goes on in the next', [post('/a', '{}', 'X-Note: a\r\n b\r\n')], []],
  ['a connection that is to be closed', [post('/a', '{}', 'Connection: close\r\n')], ['POST /a']],
  ['the same by its old name', [post('/a', '{}', 'Proxy-Connection: close\r\n')], ['POST /a']],
  ['HTTP/1.0', ['POST /a HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}'], ['POST /a']],
] as [string, string[], string[]][]) {
  test(`${name}: from then on everything is the parser's`, async () => {
    await say(...chunks)
    await say(post('/later'))
    await until('the last is read', () => parsed.includes('POST /later') || accepted.destroyed)
    assert.deepEqual(parsed, ['GET /first', ...expected, ...(accepted.destroyed ? [] : ['POST /later'])])
  })
}

test('cut anywhere, a request is the same request', async () => {
  const request = post('/cut', '{"a":"POST / HTTP/1.1"}', 'X-Note: Content-Length: 3\r\n')
  for (let at = 1; at < request.length; at++) {
    socket.destroy()
    await connect()
    served = []
    await say(request.slice(0, at), request.slice(at))
    assert.deepEqual(await answers(2), ['200', '200'])
    assert.deepEqual(served, ['POST /cut {"a":"POST / HTTP/1.1"}'], `cut at ${at}`)
  }
})

test('a request that comes while the last one is not answered waits its turn', async () => {
  socket.write(post('/slow'))
  await until('it is served', () => served.length === 2)
  socket.write(post('/behind') + post('/last'))
  await until('it is held', () => accepted.isPaused())
  assert.equal(served.length, 2)
  release()
  assert.deepEqual(await answers(4), ['200', '200', '200', '200'])
  assert.deepEqual(served.slice(1), ['POST /slow {}', 'POST /behind {}', 'POST /last {}'])
})

test('it does also behind one that the parser has', async () => {
  const slow = post('/slow')
  await say(slow.slice(0, -1), slow.slice(-1))
  await until('it is served', () => served.length === 2)
  await say(post('/behind'))
  await until('it has come', () => parsed.length === 3)
  release()
  await answers(3)
  assert.deepEqual(parsed, ['GET /first', 'POST /slow', 'POST /behind'])
  await say(post('/last'))
  await answers(4)
  assert.equal(parsed.length, 3)
})

test('a client that hangs up is no longer under way, and its figure says so', async () => {
  socket.write(post('/slow'))
  await until('it is served', () => served.length === 2)
  socket.destroy()
  await traffic.finished()
  release()
  const counted = /_count{route="\/slow",method="POST",status="499"} 1$/m
  assert.match(await metrics.registry.metrics(), counted)
})

test('a connection on which nothing more is said is hung up on', async () => {
  socket.destroy()
  server.keepAliveTimeout = 1
  await connect()
  await say(post('/a'))
  await answers(2)
  await until('it is closed', () => socket.closed)
  assert.deepEqual(parsed, ['GET /first', 'GET /first'])
})

test('an answer that says so is the last of its connection', async () => {
  traffic.isDraining = true
  await say(post('/a'))
  await until('it is closed', () => socket.closed)
  assert.match(received, /Connection: close\r\nContent-Length: 2\r\nDate: [^\r]+\r\n\r\nok$/)
  assert.deepEqual(parsed, ['GET /first'])
})

function splitToDeceive(): string[] {
  const inner = 'POST /inner HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}'
  return ['POST /outer HTTP/1.1\r\nHost: x\r\nX-Note: ', inner]
}

function splitBody(): string[] {
  const long = post('/long', 'x'.repeat(1_000))
  return [long.slice(0, 500), long.slice(500) + post('/b')]
}

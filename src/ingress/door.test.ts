import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import net, { type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createMetrics } from '../telemetry/metrics.ts'
import { guardDoor } from './door.ts'
import { Gate } from './gate.ts'

const log = { debug() {}, info() {}, warn() {}, error() {} }

let isFull = true
/** What came as far as Node's parser, and whether it was turned away there. */
let parsed: string[] = []
let server: Server
let socket: Socket
/** The server's end of it. */
let accepted: Socket
let said = 0
/** Lets the answer to `/slow` go. */
let release: () => void
let received = ''

beforeEach(async () => {
  isFull = true
  parsed = []
  received = ''
  said = 0
  const refusal = () => (isFull ? ({ code: 'overloaded', detail: 'full' } as const) : undefined)
  const gate = new Gate({ refusal, makeId: () => 'made', metrics: createMetrics(), log })
  server = createServer()
  guardDoor(server, gate)
  server.on('request', (request, response) => {
    const isTurnedAway = gate.turnAway(request, response)
    parsed.push(`${request.method} ${request.url}${isTurnedAway ? ' 503' : ''}`)
    const answer = (): void => void response.end('ok')
    if (request.url === '/slow') release = answer
    else if (!isTurnedAway) request.resume().on('end', answer)
  })
  server.on('connection', (connection) => (accepted = connection))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1').setNoDelay(true)
  socket.setEncoding('latin1').on('data', (chunk) => (received += chunk))
  // The first request of a connection is the parser's.
  await say('GET /first HTTP/1.1\r\nHost: x\r\n\r\n')
  await answers(1)
})

afterEach(() => {
  socket.destroy()
  server.close()
})

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(2)
}

/** Each as a chunk of its own: the next is written when the last has been read. */
async function say(...chunks: string[]): Promise<void> {
  for (const chunk of chunks) {
    socket.write(chunk, 'latin1')
    said += chunk.length
    await until(() => accepted?.bytesRead === said || accepted?.destroyed === true)
  }
}

async function answers(count: number): Promise<string[]> {
  const statuses = () => received.match(/HTTP\/1\.1 \d+/g) ?? []
  await until(() => statuses().length >= count)
  return statuses().map((line) => line.slice(-3))
}

const post = (path: string, body = '{}', headers = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`

test('a whole request is turned away before the parser, as often as it comes', async () => {
  await say(post('/a', '{}', 'Correlation-ID: story-1\r\n'), post('/b'), 'PUT /c HTTP/1.1\r\nHost: x\r\n\r\n')
  assert.deepEqual(await answers(4), ['200', '503', '503', '503'])
  assert.deepEqual(parsed, ['GET /first'])
  assert.match(received, /Retry-After: 1\r\n/)
  assert.match(received, /Correlation-ID: story-1\r\n/)
  assert.match(received, /Correlation-ID: made\r\n/)
})

test('who only asks is let through, and so is everybody when there is room', async () => {
  await say('GET /shows HTTP/1.1\r\nHost: x\r\n\r\n', post('/a'))
  isFull = false
  await say(post('/b'))
  isFull = true
  await say(post('/c'))
  assert.deepEqual(await answers(5), ['200', '200', '503', '200', '503'])
  assert.deepEqual(parsed, ['GET /first', 'GET /shows', 'POST /b'])
})

test('a body in several pieces is followed to its end', async () => {
  const long = post('/long', 'x'.repeat(3_000))
  await say(long.slice(0, 500), long.slice(500, 2_000), long.slice(2_000), post('/next'))
  assert.deepEqual(await answers(3), ['200', '503', '503'])
  assert.deepEqual(parsed, ['GET /first', 'POST /long 503'])
})

for (const [name, chunks, expected] of [
  ['a head in two pieces', [post('/a').slice(0, 20), post('/a').slice(20)], ['POST /a 503']],
  ['a head whose second piece looks like a request', splitToDeceive(), ['POST /outer 503']],
  ['two requests in one piece', [post('/a') + post('/b')], ['POST /a 503', 'POST /b 503']],
  ['a body and the next request in one piece', splitBody(), ['POST /long 503', 'POST /b 503']],
  [
    'a chunked body',
    ['POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'],
    ['POST /a 503'],
  ],
  ['a length with a blank before its colon', ['POST /a HTTP/1.1\r\nHost: x\r\nContent-Length : 2\r\n\r\n{}'], []],
  ['two lengths', ['POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}'], []],
  ['a connection that is to be closed', [post('/a', '{}', 'Connection: close\r\n')], ['POST /a 503']],
  ['HTTP/1.0', ['POST /a HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}'], ['POST /a 503']],
] as [string, string[], string[]][]) {
  test(`${name}: from then on everything is the parser's`, async () => {
    server.on('clientError', (_, broken) => broken.destroy())
    await say(...chunks)
    await say(post('/later'))
    await until(() => parsed.includes('POST /later 503') || accepted.destroyed)
    const isCut = expected.length === 0 || accepted.destroyed
    assert.deepEqual(parsed, ['GET /first', ...expected, ...(isCut ? [] : ['POST /later 503'])])
  })
}

test('a request that comes while the last one is not answered waits its turn', async () => {
  isFull = false
  await say(post('/slow'))
  isFull = true
  await say(post('/behind'))
  assert.deepEqual(await answers(1), ['200'])
  release()
  assert.deepEqual(await answers(3), ['200', '200', '503'])
  assert.deepEqual(parsed, ['GET /first', 'POST /slow', 'POST /behind 503'])
})

function splitToDeceive(): string[] {
  const inner = 'POST /inner HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}'
  return ['POST /outer HTTP/1.1\r\nHost: x\r\nX-Note: ', inner]
}

function splitBody(): string[] {
  const long = post('/long', 'x'.repeat(1_000))
  return [long.slice(0, 500), long.slice(500) + post('/b')]
}

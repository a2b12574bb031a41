import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import fc from 'fast-check'
import { readPlain } from './plain-request.ts'

type Read = {
  method: string | undefined
  target: string | undefined
  headers: IncomingHttpHeaders
  body: string | undefined
}

const server = createServer({ requireHostHeader: false })
server.on('clientError', (_, socket) => socket.destroy())

const next = 'GET /next HTTP/1.1\r\nHost: next\r\n\r\n'
const isNext = ({ target, headers }: Read) => target === '/next' && headers.host === 'next'

/** What Node's parser makes of it, up to `next` or the first fault. */
async function readByNode(bytes: Buffer): Promise<Read[]> {
  const read: Read[] = []
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
  const take: RequestListener = async (incoming, response) => {
    const { method, url: target, headers } = incoming
    const one: Read = { method, target, headers, body: undefined }
    read.push(one)
    one.body = await text(incoming).catch(() => 'it broke off')
    response.end()
  }
  server.removeAllListeners('request').on('request', take)
  server.emit('connection', socket)
  socket.push(bytes)
  const isRead = () => read.some(isNext) && read.every(({ body }) => body !== undefined)
  // Nothing here waits for anything but its turn.
  for (let turns = 0; turns < 100 && !isRead() && !socket.destroyed; turns++) await new Promise(setImmediate)
  socket.destroy()
  return read
}

const nothing = { remoteAddress: undefined }
/** A head that is nearly what it should be. */
const word = fc.constantFrom('', ' ', '\t', '  ', '\r', '\n', '\0', '\x7f', ':', 'é', ',')
const names = fc.oneof(
  fc.constantFrom(
    'Content-Length',
    'content-length',
    'Connection',
    'Cookie',
    'X-A',
    'X-B',
    'Keep-Alive',
    'TE',
    'Trailer',
  ),
  fc.constantFrom(
    ...['Transfer-Encoding', 'Proxy-Connection', 'Upgrade', 'Upgrade-Insecure-Requests', 'Expect', 'Content_Length'],
    ...['Host', 'Set-Cookie', 'constructor', '__proto__', ''],
  ),
)
const values = fc.constantFrom(
  'x',
  '0',
  '2',
  '02',
  '2, 2',
  '+2',
  '0x2',
  '99999',
  'chunked',
  'identity',
  'close',
  'keep-alive',
  'Keep-Alive',
  'keep-alive, upgrade',
  'h2c',
  '100-continue',
  '',
  'a:b',
)
/** As it is written most of the time, or as it should not be. */
const mostly = (good: string, ...others: string[]) =>
  fc.oneof({ arbitrary: fc.constant(good), weight: 6 }, { arbitrary: fc.constantFrom(...others), weight: 1 })
const line = fc.tuple(
  names,
  mostly(': ', ':', ' :', ':  ', ''),
  values,
  fc.oneof({ arbitrary: fc.constant(''), weight: 6 }, word),
)
const method = mostly('POST', 'GET', 'PUT', 'HEAD', 'DELETE', 'CONNECT', 'PRI', 'get', 'BREW')
const target = fc.oneof(
  mostly('/', '/a?b=c', '/a#b', '*', 'http://x/', 'x:1', '/"<>\\^`{|}~', '//', ''),
  fc.stringMatching(/^\/[\x21-\x7e]{0,8}$/),
)
const version = mostly('HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/1.10', 'http/1.1')
const request = fc
  .tuple(
    fc.tuple(method, target, version).map((parts) => parts.join(' ')),
    fc.array(
      line.map((parts) => parts.join('')),
      { maxLength: 3 },
    ),
    fc.constantFrom('', '{}', '\r\n', 'GET / HTTP/1.1\r\n\r\n'),
  )
  .map(([first, lines, body]) => `${[first, 'Host: x', ...lines].join('\r\n')}\r\n\r\n${body}`)
/** One character of it made another one, taken out, or put in. */
const spoilt = fc.tuple(request, fc.nat(200), fc.nat(1), word).map(([good, at, removed, other]) => {
  return good.slice(0, at) + other + good.slice(at + removed)
})

test('what is plain is to the byte what Node reads, and Node goes on behind it', async () => {
  let plains = 0
  await fc.assert(
    fc.asyncProperty(fc.oneof(request, spoilt), async (bytes) => {
      const chunk = Buffer.from(bytes, 'latin1')
      const plain = readPlain(chunk, nothing)
      if (!plain || plain.left < 0) return
      plains++
      const rest = Buffer.from('x'.repeat(plain.left) + next)
      const [first, second, ...more] = await readByNode(Buffer.concat([chunk, rest]))
      assert.ok(first && second && isNext(second), 'Node finds two requests')
      assert.deepEqual(more, [])
      if (!plain.request) return
      const { method, target, headers, readBody } = plain.request
      assert.deepEqual({ method, target, headers, body: (await readBody()).toString('latin1') }, first)
    }),
    { numRuns: 5_000 },
  )
  assert.ok(plains > 200, `only ${plains} of them were plain`)
})

test('a request as clients write it is plain', async () => {
  const head = 'POST /book-tickets?x=%20 HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n'
  const rest = 'Content-Type: application/json\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n{}'
  const { left, request } = readPlain(Buffer.from(head + rest), nothing) ?? {}
  assert.equal(left, 0)
  assert.equal(request?.headers['user-agent'], 'curl/8.5.0')
  assert.equal(String(await request?.readBody()), '{}')
})

test('a head of more than 4 KiB is not looked at', () => {
  const long = (bytes: number) => `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(bytes)}\r\n\r\n`
  assert.ok(readPlain(Buffer.from(long(4_000)), nothing)?.request)
  assert.equal(readPlain(Buffer.from(long(4_096)), nothing), undefined)
})

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Gate } from './gate.ts'

/** The head as nearly every client writes it. Each line can match in one way only, so no head makes this slow. */
const plainHead = /^([A-Z]+) [\x21-\x7e]+ HTTP\/1\.1\r\n(?:[\w-]+:[\x20-\x7e]*\r\n)+\r\n$/
/** What lets a message end elsewhere than its length says, or makes more of it than a request and its answer. */
const unusual = /\r\n(?:transfer-encoding|expect|upgrade|connection:(?! *keep-alive\r\n))/i
const lengths = /\r\ncontent-length:[^\r]*/gi
const plainLength = /: *(\d{1,9}) *$/
const correlationLine = /\r\ncorrelation-id: *([^\r]*?) *\r\n/i
const maxHeadBytes = 4_096

/** What was asked last on a connection, and how much of its body is still to come. */
type Visit = { last?: [IncomingMessage, ServerResponse]; left: number }

/**
 * Looks at requests before Node's parser does, so that those that are turned away need neither it nor the objects that it
 * makes: that costs a quarter. It takes no part in anything else. Who is let through is given to the parser byte by byte as it
 * came, and a connection on which it is not plain where a request begins is the parser's for good.
 *
 * The first request of a connection is the parser's too: until one has come, Node counts the time that it may take.
 */
export function guardDoor(server: Server, gate: Gate): void {
  const visits = new WeakMap<Socket, Visit>()
  server.on('request', (request, response) => {
    const visit = visits.get(request.socket)
    if (visit) visit.last = [request, response]
  })
  server.on('connection', (socket) => {
    // Node's own listener stands already: this one takes its place, and hands on to it.
    const [parse] = socket.listeners('data') as [(chunk: Buffer) => void]
    const letThrough = (chunk: Buffer): void => parse.call(socket, chunk)
    const visit: Visit = { left: 0 }
    visits.set(socket, visit)
    const look = (chunk: Buffer): void => {
      const plain = visit.left > 0 ? { left: visit.left - chunk.length } : plainRequest(chunk)
      if (!plain || plain.left < 0) {
        socket.off('data', look)
        socket.on('data', letThrough)
        letThrough(chunk)
        return
      }
      const isAtRest = 'method' in plain && plain.left === 0 && isAnswered(visit) && socket.writableLength === 0
      const refusal = isAtRest ? gate.refuse(plain.method, plain.correlationId) : undefined
      if (refusal !== undefined) {
        socket.write(refusal, 'latin1')
        return
      }
      visit.left = plain.left
      letThrough(chunk)
    }
    socket.off('data', parse)
    socket.on('data', look)
  })
}

const isAnswered = ({ last }: Visit): boolean => last?.[0].complete === true && last[1].writableFinished

/** What is plain to see of a request that begins with this chunk: how many bytes are missing to its end. */
function plainRequest(chunk: Buffer): { method: string; correlationId: string | undefined; left: number } | undefined {
  const end = chunk.indexOf('\r\n\r\n') + 4
  if (end < 4 || end > maxHeadBytes) return undefined
  const head = chunk.toString('latin1', 0, end)
  const method = plainHead.exec(head)?.[1]
  if (method === undefined || unusual.test(head)) return undefined
  const [given, ...more] = head.match(lengths) ?? []
  const length = given === undefined ? '0' : plainLength.exec(given)?.[1]
  if (length === undefined || more.length > 0) return undefined
  return { method, correlationId: correlationLine.exec(head)?.[1], left: end + Number(length) - chunk.length }
}

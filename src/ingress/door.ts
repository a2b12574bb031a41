import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { HttpRequest } from './exchange.ts'
import { encodingOf, textOf } from './plain-answer.ts'
import { readPlain } from './plain-request.ts'
import { type Reception, receive, type Way } from './reception.ts'

/** What the parser has read last on a connection, and its answer. */
type Parsed = [IncomingMessage, ServerResponse]

/**
 * Looks at requests before Node's parser does, and takes those that are plain to see past it: the parser, the streams and the
 * objects around them cost more than all that a request is asked here. It has no rules of its own: what it takes is received like
 * any other. What it does not take is given to the parser byte by byte as it came, and a connection on which it is not plain where
 * a request begins is the parser's for good.
 *
 * Node keeps the time of a connection: until the first request has come, which is therefore the parser's too, and from its
 * last byte in either direction, which is longer than any plain answer takes. But it takes a connection for idle on which the door
 * owes an answer: whoever closes the server stops listening first, and hangs up on the idle when nothing is under way.
 */
export function openDoor(server: Server, reception: Reception): void {
  const parsed = new WeakMap<Socket, Parsed>()
  server.on('request', (request, response) => parsed.set(request.socket, [request, response]))
  server.on('connection', (socket) => {
    watch(socket, () => isAtRest(parsed.get(socket), socket), reception, server.keepAliveTimeout)
  })
}

/** @param isAtRest whether all that came before is answered */
function watch(socket: Socket, isAtRest: () => boolean, reception: Reception, keepAliveMs: number): void {
  // Node's own listener stands already: this one takes its place, and hands on to it.
  const [parse] = socket.listeners('data') as [(chunk: Buffer) => void]
  const letThrough = (chunk: Buffer): void => parse.call(socket, chunk)
  /** How much of the body is still to come of a request that was let through. */
  let left = 0
  /** The door itself owes an answer. */
  let isBusy = false
  /** What came meanwhile. */
  let held: Buffer | undefined
  let end: ((isSent: boolean) => void) | undefined

  function look(chunk: Buffer): void {
    if (isBusy) {
      // One after the other: an answer must not overtake another.
      held = chunk
      socket.pause()
      return
    }
    const plain = left > 0 ? { left: left - chunk.length } : readPlain(chunk, socket)
    if (!plain || plain.left < 0) {
      socket.off('data', look)
      socket.on('data', letThrough)
      letThrough(chunk)
      return
    }
    if (plain.request && isAtRest() && take(plain.request)) return
    left = plain.left
    letThrough(chunk)
  }

  /** @returns whether it is taken */
  function take(request: HttpRequest): boolean {
    const found = reception.route(request.method, request.target)
    // The parser's response knows how to send one piece by piece.
    if ('route' in found && found.route.answer.isStream) return false
    isBusy = true
    receive(reception, request, found, way)
    return true
  }

  const way: Way = {
    send(answer) {
      if (socket.destroyed) return
      const ended = end
      end = undefined
      socket.write(textOf(answer, keepAliveMs), encodingOf(answer), (error) => ended?.(!error))
      if (answer.headers.Connection === 'close') socket.destroySoon()
      else goOn()
    },
    onEnd: (ended) => (end = ended),
  }

  function goOn(): void {
    const chunk = held
    isBusy = false
    held = undefined
    if (!chunk) return
    socket.resume()
    look(chunk)
  }

  socket.off('data', parse)
  socket.on('data', look)
  socket.on('close', () => {
    end?.(false)
    end = undefined
  })
}

/** What the parser has read is answered, and every answer has left. */
const isAtRest = (parsed: Parsed | undefined, socket: Socket): boolean =>
  parsed?.[0].complete === true && parsed[1].writableFinished && socket.writableLength === 0

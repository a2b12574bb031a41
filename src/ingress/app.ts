import http from 'node:http'
import { answerClientError } from './client-errors.ts'
import { openDoor } from './door.ts'
import { requestOf, wayBackBy } from './node-request.ts'
import { Problem } from './problems.ts'
import { type Reception, receive } from './reception.ts'
import type { Found } from './router.ts'

const maxHeaderBytes = 16 * 1024
/** Longer than load balancers keep theirs (60 s as a rule), so that it is not us who hang up on a request. */
const keepAliveMs = 72_000
const wholeRequestMs = 30_000
const serverOptions: http.ServerOptions = {
  keepAliveTimeout: keepAliveMs,
  requestTimeout: wholeRequestMs,
  maxHeaderSize: maxHeaderBytes,
  // Node would answer by itself, without a word.
  requireHostHeader: false,
}

/** The HTTP server with its limits, and both ways in: through Node's parser, and past it. */
export function createApp(reception: Reception, makeId: () => string): http.Server {
  const server = http.createServer(serverOptions)
  const answer: http.RequestListener = (incoming, response) => {
    const request = requestOf(incoming)
    const found = isWithoutHost(incoming) ? withoutHost() : reception.route(request.method, request.target)
    receive(reception, request, found, wayBackBy(response))
  }
  server.on('request', answer)
  // Of an expectation that nobody here knows nothing is made; Node would refuse it without a word.
  server.on('checkExpectation', answer)
  server.on('clientError', (error, socket) => answerClientError(error, socket, makeId()))
  openDoor(server, reception)
  return server
}

const isWithoutHost = ({ headers, httpVersion }: http.IncomingMessage): boolean =>
  headers.host === undefined && httpVersion === '1.1'

const withoutHost = (): Found => ({ pattern: undefined, problem: new Problem('malformed-http', 'Host is missing') })

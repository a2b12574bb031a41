import { isUtf8 } from 'node:buffer'
import http from 'node:http'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Log } from '../engine/ports.ts'
import { answerClientError } from './client-errors.ts'
import { guardDoor } from './door.ts'
import type { Gate } from './gate.ts'
import { Problem } from './problems.ts'
import { toProblem } from './to-problem.ts'
import type { Traffic } from './traffic.ts'

const maxBodyBytes = 1024 * 1024
const maxHeaderBytes = 16 * 1024
/** Longer than load balancers keep theirs (60 s as a rule), so that it is not us who hang up on a request. */
const keepAliveMs = 72_000
const wholeRequestMs = 30_000
const serverOptions: http.ServerOptions = {
  keepAliveTimeout: keepAliveMs,
  requestTimeout: wholeRequestMs,
  maxHeaderSize: maxHeaderBytes,
  // Node would answer by itself, without a word; a hook does it instead.
  requireHostHeader: false,
}

/** The HTTP server without its routes: its limits, how bodies are read, and how errors are answered. */
export function createApp(traffic: Traffic, gate: Gate, makeId: () => string, log: Log): FastifyInstance {
  const app: FastifyInstance = Fastify({
    logger: false,
    bodyLimit: maxBodyBytes,
    serverFactory: (handle) => {
      const server = http.createServer(serverOptions)
      guardDoor(server, gate)
      return server.on('request', (request, response) => {
        if (!gate.turnAway(request, response)) handle(request, response)
      })
    },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    // An id of any length reaches its schema, which says what is wrong with it.
    routerOptions: { maxParamLength: maxHeaderBytes },
    clientErrorHandler: (error, socket) => answerClientError(error, socket, makeId()),
    frameworkErrors: (error, request, reply) => {
      traffic.begin(request as FastifyRequest, reply as FastifyReply)
      answerError(error, request as FastifyRequest, reply as FastifyReply, log)
    },
  })
  app.decorateRequest('correlationId', '')
  app.decorateRequest('caller', undefined)
  app.decorateRequest('checkBody', undefined)
  app.decorateRequest('traceparent', undefined)
  app.addHook('onRequest', (request, reply, done) => {
    traffic.begin(request, reply)
    const { headers, httpVersion } = request.raw
    done(
      headers.host === undefined && httpVersion === '1.1'
        ? new Problem('malformed-http', 'Host is missing')
        : undefined,
    )
  })
  // Of an expectation that nobody here knows nothing is made; Node would refuse it without a word.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (traffic.isDraining) reply.header('Connection', 'close')
    done()
  })
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply, log))
  app.setNotFoundHandler((request) => {
    throw new Problem('unknown-route', `there is no ${request.method} ${pathOf(request.url)}`)
  })
  readJsonOnly(app)
  return app
}

function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Log): FastifyReply {
  const problem = toProblem(error)
  if (problem.status >= 500) {
    const { correlationId, traceparent, method, url } = request
    const fields = { correlationId, traceparent, method, path: url, code: problem.code, err: problem.cause ?? problem }
    log[problem.code === 'internal' ? 'error' : 'warn'](fields, 'a request failed')
  }
  return (
    reply
      .code(problem.status)
      .headers(problem.headers)
      .type('application/problem+json')
      // As bytes: to text Fastify would add a charset, which this media type does not have.
      .send(Buffer.from(JSON.stringify(problem.document())))
  )
}

/** JSON in UTF-8 and nothing else. Keys that would reach into prototypes are dropped, like all that nobody asked for. */
function readJsonOnly(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('remove', 'remove')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    const fault = request.checkBody?.(body)
    if (fault) done(fault)
    else if (!isPlainUtf8(request))
      done(new Problem('unsupported-media-type', 'the body must be UTF-8, and not compressed'))
    else if (!isUtf8(body)) done(new Problem('malformed-json', 'the body is not UTF-8'))
    else parseJson(request, body.toString(), done)
  })
}

/** For routes that take no body: whatever a client sends as one means nothing, and is not even read. */
export function ignoreBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _body, done) => done(null))
}

function isPlainUtf8({ headers }: FastifyRequest): boolean {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(headers['content-type'] ?? '')?.[1] ?? 'utf-8'
  return /^utf-?8$/i.test(charset) && (headers['content-encoding'] ?? 'identity') === 'identity'
}

const pathOf = (url: string): string => url.split('?', 1)[0] ?? url

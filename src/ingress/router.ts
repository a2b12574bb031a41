import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import type { Kind } from '../../schemas/index.ts'
import { partitionOf } from '../actor/ids.ts'
import type { Config } from '../config.ts'
import type { Reads, Requests } from '../engine/ports.ts'
import type { Admission } from './admission.ts'
import type { Asker } from './asker.ts'
import { commandToNew } from './commands.ts'
import { idempotencyKeyOf, traceparentOf } from './headers.ts'
import { parseRequest } from './parse.ts'
import { isProblemCode, Problem } from './problems.ts'
import type { Call, FirstCommand, Route, ServerView } from './route.ts'

export type House = {
  config: Pick<Config, 'TURNSTILE_PARTITIONS'>
  requests: Requests
  reads: Reads
  asker: Asker
  admission: Admission
  makeId: () => string
  server: ServerView
}

const methods: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

export function addRoutes(app: FastifyInstance, routes: Route[], house: House): void {
  for (const route of routes) {
    app.route({
      method: route.method,
      url: patternOf(route.path),
      handler: (request, reply) => serve(route, request, reply, house),
    })
  }
  for (const path of new Set(routes.map((route) => route.path))) refuseOtherMethods(app, path, routes)
}

async function serve(route: Route, request: FastifyRequest, reply: FastifyReply, house: House): Promise<unknown> {
  const body = await route.handle(callOf(route, request, house))
  const { status, type, headers } = route.answer
  reply.code(status)
  if (headers) reply.headers(headers)
  if (type !== undefined) reply.type(type)
  return body
}

function callOf(route: Route, request: FastifyRequest, house: House): Call<unknown, unknown> {
  return {
    params: route.params ? parseRequest(route.params, request.params, 'path') : undefined,
    body: route.body ? parseRequest(route.body, request.body, 'body') : undefined,
    askNew: (...first) => askNew(first, route, request, house),
    findState: (kind, id) => findState({ kind, id }, house),
    server: house.server,
  }
}

async function askNew(
  [kind, command]: FirstCommand,
  route: Route,
  request: FastifyRequest,
  { requests, asker, admission, makeId }: House,
): Promise<Record<string, unknown>> {
  const origin = {
    route: `${route.method} ${route.path}`,
    correlationId: request.correlationId,
    traceparent: traceparentOf(request.raw),
    idempotencyKey: idempotencyKeyOf(request.raw),
    replyTo: requests.replyTo,
  }
  admission.checkCommand()
  const reply = await asker.ask(commandToNew(kind, command, origin, makeId))
  if ('ok' in reply) return reply.ok
  // Parsed here and yet not dealt with there: a fault of ours, and none of the caller's business.
  if (reply.refused === 'dead-letter') throw new Error(reply.reason)
  throw new Problem(isProblemCode(reply.refused) ? reply.refused : 'refused', reply.reason)
}

async function findState(address: { kind: Kind; id: string }, { config, reads, admission }: House): Promise<unknown> {
  admission.checkQuery()
  const partition = partitionOf(address.id, config.TURNSTILE_PARTITIONS)
  try {
    return (await reads.actor({ ...address, partition }))?.state
  } catch (error) {
    throw new Problem('unavailable', 'the database does not answer', { cause: error })
  }
}

/** A path that exists for another method is 405, and says for which. */
function refuseOtherMethods(app: FastifyInstance, path: string, routes: Route[]): void {
  const taken: HTTPMethods[] = routes.filter((route) => route.path === path).map(({ method }) => method)
  // Fastify answers HEAD wherever there is a GET.
  if (taken.includes('GET')) taken.push('HEAD')
  const allow = taken.join(', ')
  const refuse = async () => {
    throw new Problem('method-not-allowed', `only ${allow} can be used here`, { headers: { Allow: allow } })
  }
  const others = methods.filter((method) => !taken.includes(method))
  app.route({ method: others, url: patternOf(path), onRequest: refuse, handler: refuse })
}

/** `/shows/{show_id}` as Fastify writes it: `/shows/:show_id`. */
const patternOf = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1')

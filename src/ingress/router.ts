import { METHODS } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import { ignoreBodies } from './app.ts'
import { callOf, type House } from './call.ts'
import { Problem } from './problems.ts'
import type { Route } from './route.ts'

export function addRoutes(app: FastifyInstance, routes: Route[], house: House): void {
  const add = (to: FastifyInstance, route: Route) =>
    to.route({
      method: route.method,
      url: patternOf(route.path),
      ...house.guard.hooksOf(route),
      handler: (request, reply) => serve(route, request, reply, house),
    })
  for (const route of routes) if (route.body) add(app, route)
  void app.register(async (bodiless) => {
    ignoreBodies(bodiless)
    for (const route of routes) if (!route.body) add(bodiless, route)
  })
  for (const method of METHODS) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method)
  for (const path of new Set(routes.map((route) => route.path))) refuseOtherMethods(app, path, routes)
}

async function serve(route: Route, request: FastifyRequest, reply: FastifyReply, house: House): Promise<FastifyReply> {
  const call = callOf(route, request, house)
  const body = await route.handle(call)
  const { status, type = defaultType(body), headers } = route.answer
  reply.code(status).headers({ ...headers, ...call.headers })
  if (type !== undefined) reply.type(type)
  // To HEAD nobody would ever read the stream.
  if (body instanceof Readable && request.method === 'HEAD') {
    body.destroy()
    return reply.send('')
  }
  if (body instanceof Readable) noteWhenBroken(body, request, house)
  return reply.send(body)
}

/** The answer is under way by then: all that is left is to cut it short, which Fastify does, and to say why. */
function noteWhenBroken(body: Readable, { correlationId, url }: FastifyRequest, { log }: House): void {
  body.once('error', (error) => log.warn({ correlationId, path: url, err: error }, 'an answer broke off'))
}

/** Of anything but a stream Fastify knows it. */
const defaultType = (body: unknown): string | undefined =>
  body instanceof Readable ? 'application/json; charset=utf-8' : undefined

/** A path that exists for another method is 405, and says for which. */
function refuseOtherMethods(app: FastifyInstance, path: string, routes: Route[]): void {
  const taken: HTTPMethods[] = routes.filter((route) => route.path === path).map(({ method }) => method)
  // Fastify answers HEAD wherever there is a GET.
  if (taken.includes('GET')) taken.push('HEAD')
  const allow = taken.join(', ')
  const refuse = async () => {
    throw new Problem('method-not-allowed', `only ${allow} can be used here`, { headers: { Allow: allow } })
  }
  const others = app.supportedMethods.filter((method) => !taken.includes(method))
  app.route({ method: others, url: patternOf(path), onRequest: refuse, handler: refuse })
}

/** `/shows/{show_id}` as Fastify writes it: `/shows/:show_id`. */
const patternOf = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1')

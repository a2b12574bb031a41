import { Readable } from 'node:stream'
import type { Log } from '../engine/ports.ts'
import { callOf, type House } from './call.ts'
import { type Answer, lengthOf } from './exchange.ts'
import type { Check } from './guard.ts'
import { readJson } from './json-body.ts'
import { problemAnswer } from './problems.ts'
import type { Route } from './route.ts'
import { toProblem } from './to-problem.ts'
import type { Visit } from './visit.ts'

/** From a request to its answer, which also says whatever goes wrong: it never rejects. */
export type Serve = (visit: Visit) => Promise<Answer>

/** @param isDraining asked of each answer: clients are to hang up then */
export function createServe(routes: readonly Route[], house: House, isDraining: () => boolean): Serve {
  const checks = new Map(routes.map((route) => [route, house.guard.checkOf(route)]))
  return async (visit) => {
    const answer = await answerTo(visit, checks, house).catch((error: unknown) => answerError(error, visit, house.log))
    Object.assign(answer.headers, visit.headers)
    if (isDraining()) answer.headers.Connection = 'close'
    if (visit.request.method === 'HEAD') leaveOutBody(answer)
    return answer
  }
}

async function answerTo(visit: Visit, checks: Map<Route, Check | undefined>, house: House): Promise<Answer> {
  const { request, found } = visit
  if ('problem' in found) throw found.problem
  const { route, params } = found
  const checkBody = (await checks.get(route)?.(visit)) ?? undefined
  // What a client sends as a body where none is taken means nothing, and is not even read.
  const body = route.body && (await readJson(request, checkBody))
  const call = callOf(route, { params, body }, visit, house)
  const result = await route.handle(call)
  if (result instanceof Readable) noteWhenBroken(result, visit, house.log)
  return answerWith(route, result, call.headers)
}

function answerWith({ path, answer }: Route, result: unknown, more: Record<string, string>): Answer {
  const { status, type, headers, isStream } = answer
  const all: Record<string, string> = { ...headers, ...more }
  if (result !== undefined) all['Content-Type'] = type ?? 'application/json; charset=utf-8'
  if (result instanceof Readable) {
    if (!isStream) throw new Error(`${path} does not say that its answer is a stream`)
    return { status, headers: all, body: result }
  }
  const body = result === undefined || typeof result === 'string' ? result : JSON.stringify(result)
  all['Content-Length'] = lengthOf(body)
  return { status, headers: all, body }
}

function answerError(error: unknown, { request, correlationId, traceparent }: Visit, log: Log): Answer {
  const problem = toProblem(error)
  if (problem.status >= 500) {
    const { method, target: path } = request
    const fields = { correlationId, traceparent, method, path, code: problem.code, err: problem.cause ?? problem }
    log[problem.code === 'internal' ? 'error' : 'warn'](fields, 'a request failed')
  }
  return problemAnswer(problem)
}

/** The answer is under way by then: all that is left is to cut it short, and to say why. */
function noteWhenBroken(body: Readable, { correlationId, request }: Visit, log: Log): void {
  body.once('error', (error) => log.warn({ correlationId, path: request.target, err: error }, 'an answer broke off'))
}

/** To HEAD nobody would ever read a stream. */
function leaveOutBody(answer: Answer): void {
  if (answer.body instanceof Readable) answer.body.destroy()
  answer.body = undefined
}

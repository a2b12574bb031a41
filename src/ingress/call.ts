import { parse as parseQuery } from 'node:querystring'
import type { Readable } from 'node:stream'
import type { Kind } from '../../schemas/index.ts'
import type { Reply } from '../actor/actor.ts'
import { partitionOf } from '../actor/ids.ts'
import type { Config } from '../config.ts'
import type { Log, OutgoingCommand, Reads, Requests } from '../engine/ports.ts'
import type { ReadModels } from '../engine/read-model-ports.ts'
import type { Admission } from './admission.ts'
import type { Asker } from './asker.ts'
import { commandsOf, commandTo, commandToNew, digestOf, type Origin, requestIdOf } from './commands.ts'
import type { Guard } from './guard.ts'
import { idempotencyKeyOf, lastEventIdOf } from './headers.ts'
import type { Live } from './live/live.ts'
import { parseRequest } from './parse.ts'
import type { createPlacement } from './placement.ts'
import { isProblemCode, keyReused, Problem } from './problems.ts'
import { type Call, fillPath, type NextCommand, type Route, type ServerView } from './route.ts'
import { toProblem } from './to-problem.ts'
import type { Visit } from './visit.ts'

export type House = {
  config: Pick<Config, 'TURNSTILE_PARTITIONS'>
  requests: Requests
  reads: Reads
  readModels: ReadModels
  asker: Asker
  admission: Admission
  guard: Guard
  makeId: () => string
  place: ReturnType<typeof createPlacement>
  live: Live
  server: ServerView
  log: Log
}

/**
 * One request as its route sees it.
 *
 * @param given what came, before it is held against the route's schemas
 */
export function callOf(
  route: Route,
  given: { params: Record<string, string>; body: unknown },
  visit: Visit,
  house: House,
): Call<unknown, unknown, unknown> {
  const { target, headers } = visit.request
  const params = route.params ? parseRequest(route.params, given.params, 'path') : undefined
  const query = route.query ? parseRequest(route.query, parseQuery(queryOf(target)), 'query') : undefined
  const body = route.body ? parseRequest(route.body, given.body, 'body') : undefined
  return {
    params,
    query,
    body,
    async askNew(kind, command) {
      return ask(commandToNew(kind, command, originOf(route, params, visit, house)), house)
    },
    async askNewNear(near, kind, command) {
      const origin = originOf(route, params, visit, house)
      const first = commandToNew(kind, command, origin)
      // With a key its id may depend on nothing else.
      if (!origin.hasKey) first.address.id = house.place(first.address.id, near)
      return ask(first, house)
    },
    async ask(kind, id, command) {
      return ask(commandTo({ kind, id }, command, originOf(route, params, visit, house)), house)
    },
    async askAll(batch) {
      return askAll(batch, originOf(route, params, visit, house), house)
    },
    async findState(kind, id) {
      return (await read({ kind, id }, house, house.reads.actor))?.state
    },
    async findFailingCalls(kind, id) {
      return read({ kind, id }, house, house.reads.failingCalls)
    },
    async listen(actor) {
      return listen(actor, lastEventIdOf(headers), house)
    },
    get readModels() {
      house.admission.checkQuery()
      return house.readModels
    },
    headers: {},
    server: house.server,
  }
}

const queryOf = (target: string): string => /\?([^#]*)/.exec(target)?.[1] ?? ''

/** @param params parsed, so that two spellings of an id are one resource */
function originOf(route: Route, params: unknown, visit: Visit, house: House): Origin {
  const { request, correlationId, traceparent, caller } = visit
  const resource = `${route.method} ${fillPath(route.path, params as Record<string, string> | undefined)}`
  const key = idempotencyKeyOf(request, route.isKeyRequired)
  return {
    resource,
    askedBy: caller?.subject,
    requestId: requestIdOf(resource, key, caller?.subject, house.makeId),
    hasKey: key !== undefined,
    correlationId,
    traceparent,
    replyTo: house.requests.replyTo,
  }
}

async function ask(command: OutgoingCommand, { asker, admission }: House): Promise<Record<string, unknown>> {
  admission.checkCommands()
  return acceptedOf(await asker.ask(command))
}

async function askAll(batch: NextCommand[], origin: Origin, { asker, admission, reads }: House): Promise<void> {
  admission.checkCommands()
  const digest = digestOf(origin, batch)
  const claim = await reads.claimKey(origin.requestId, digest)
  if (claim.digest !== digest) throw keyReused()
  const commands = commandsOf(batch, digest, origin, claim.isNew)
  const answers = await Promise.allSettled(commands.map((command) => asker.ask(command)))
  const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? toProblem(answer.reason) : []))
  if (failures.length > 0) throw failureOf(failures, batch.length)
  for (const answer of answers) if (answer.status === 'fulfilled') acceptedOf(answer.value)
}

/** Where one could not be sent, others were: that nothing was done cannot be said of a batch. */
function failureOf(failures: Problem[], commands: number): Problem {
  const fault = failures.find(({ status }) => status !== 503)
  if (fault) return fault
  const detail = `${failures.length} of ${commands} were not answered in time; they may still be carried out`
  return new Problem('outcome-unknown', detail, { cause: failures[0] })
}

/** @throws a Problem when it was refused */
function acceptedOf(reply: Reply): Record<string, unknown> {
  if ('ok' in reply) return reply.ok
  // Parsed here and yet not dealt with there: a fault of ours, and none of the caller's business.
  if (reply.refused === 'dead-letter') throw new Error(reply.reason)
  throw new Problem(isProblemCode(reply.refused) ? reply.refused : 'refused', reply.reason)
}

async function read<T>(
  address: { kind: Kind; id: string },
  { config, admission }: House,
  look: (address: { kind: Kind; id: string; partition: number }) => Promise<T>,
): Promise<T> {
  admission.checkQuery()
  const partition = partitionOf(address.id, config.TURNSTILE_PARTITIONS)
  try {
    return await look({ ...address, partition })
  } catch (error) {
    throw new Problem('unavailable', 'the database does not answer', { cause: error })
  }
}

function listen(
  actor: { kind: Kind; id: string } | undefined,
  lastEventId: string | undefined,
  { live, admission }: House,
): Promise<Readable> {
  admission.checkQuery()
  return actor ? live.listenTo(actor, lastEventId) : live.listenToAll(lastEventId)
}

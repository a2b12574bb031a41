import type { z } from 'zod'
import { requestsByService } from '../../schemas/index.ts'
import type { Tagged } from '../actor/actor.ts'
import { outcomeId, partitionOf } from '../actor/ids.ts'
import { crashPoint } from '../crash-points.ts'
import type {
  Clock,
  DeadLetter,
  Deliver,
  EffectDelivery,
  Log,
  Observer,
  OutgoingCommand,
  Publisher,
  Store,
} from '../engine/ports.ts'
import type { EffectOutcome, Tracer } from '../engine/trace-ports.ts'
import type { ErrorCode } from '../errors.ts'
import { backoffMs, maxAttempts } from './backoff.ts'
import type { Gate } from './gate.ts'
import { type CallHttp, type HttpAnswer, urlOf } from './http.ts'
import type { InHand } from './in-hand.ts'
import type { InTurn } from './in-turn.ts'
import { type Outcome, outcomeOf, outcomeOfReadBack } from './outcome.ts'
import type { AnyAdapter, HttpCall, ServiceCall } from './service.ts'

/** Whoever stood still for longer, stopped or starved, may no longer be the one who has the effect: the queue waits for 30 s. */
const freshMs = 10_000

export interface DeadLetters {
  /** Resolves once the letter is safe. One that was kept before is open again, with one attempt more. */
  keepDeadLetter(letter: DeadLetter): Promise<void>
}

/** So that people can see what an actor waits for. Nothing depends on it. */
export type FailureNotes = Pick<Store, 'noteFailure' | 'forgetFailure'>

export type EffectSettings = {
  adapter: AnyAdapter
  gate: Pick<Gate, 'pass'>
  inHand: InHand
  inTurn: InTurn
  publisher: Pick<Publisher, 'announce'>
  deliver: Deliver
  deadLetters: DeadLetters
  failures: FailureNotes
  observer: Pick<Observer, 'deadLetter' | 'called'>
  tracer: Pick<Tracer, 'effect' | 'call'>
  log: Log
  clock: Clock
  callHttp: CallHttp
  /** Address of the services. */
  gateway: string
  partitions: number
  /** 0 to 1. */
  random: () => number
  timeoutMs: number
}

/**
 * Carries out one effect: makes the call, and sends what came of it to the actor that asked. Only when that is stored is
 * the effect done, so a crash on the way repeats the call with the same key, and the outcome with the same id.
 */
export async function carryOut(delivered: EffectDelivery, settings: EffectSettings): Promise<void> {
  const parsed = parseEffect(delivered, settings.adapter)
  if ('fault' in parsed) return bury(delivered, parsed.code, parsed.fault, settings)

  const span = settings.tracer.effect(delivered)
  const effect = span ? { ...delivered, meta: { ...delivered.meta, traceparent: span.traceparent } } : delivered

  const takenMs = settings.clock.monotonicMs()
  await settings.inHand.while(effect, () =>
    settings.inTurn.run(effect.messageId, async (isSecond) => {
      const outcome = await settings.gate.pass(() => {
        const isOld = settings.clock.monotonicMs() - takenMs > freshMs
        return timed(isSecond || isOld ? { ...effect, mayBeRepeat: true } : effect, parsed, settings)
      })
      if (!outcome) return effect.retry(0)
      await settle(effect, parsed.request, outcome, settings)
      span?.end(nameOf(outcome))
    }),
  )
}

type Parsed = { call: ServiceCall<unknown>; request: Tagged }

/** By service and type, as they come off the queue: both may be anything. */
const requestSchemas: Record<string, Record<string, z.ZodType<Tagged>>> = requestsByService

function parseEffect(
  { type, request, payload }: EffectDelivery,
  { service, calls }: AnyAdapter,
): Parsed | { code: ErrorCode; fault: string } {
  const call = Object.hasOwn(calls, type) ? calls[type] : undefined
  const schema = requestSchemas[service]?.[type]
  if (!call || !schema) return { code: 'unknown-command', fault: `${service} takes no ${JSON.stringify(type)}` }
  if (request) return { call, request }
  try {
    return { call, request: schema.parse({ ...JSON.parse(Buffer.from(payload).toString()), type }) }
  } catch (error) {
    return { code: 'message-unparsable', fault: String(error) }
  }
}

async function timed(effect: EffectDelivery, parsed: Parsed, settings: EffectSettings): Promise<Outcome> {
  const { clock, observer } = settings
  const startedMs = clock.monotonicMs()
  const outcome = await attempt(effect, parsed, settings)
  observer.called(effect.service, nameOf(outcome), clock.monotonicMs() - startedMs)
  return outcome
}

function nameOf(outcome: Outcome): EffectOutcome {
  if ('temporary' in outcome) return 'temporary'
  return 'refused' in outcome ? 'refused' : 'done'
}

async function attempt(effect: EffectDelivery, { call, request }: Parsed, settings: EffectSettings): Promise<Outcome> {
  const mayBeDone = effect.attempt > 1 || effect.mayBeRepeat
  try {
    if (call.readBack && mayBeDone) {
      const seen = await makeCall(effect, call.readBack.toHttp(request), settings)
      const outcome = outcomeOfReadBack(call, call.readBack, request, seen)
      if (outcome) return outcome
    }
    const answer = await makeCall(effect, call.toHttp(request, effect.messageId), settings)
    return outcomeOf(call, request, answer)
  } catch (error) {
    return { temporary: causeOf(error), retryAfterMs: 0 }
  }
}

async function makeCall(effect: EffectDelivery, call: HttpCall, settings: EffectSettings): Promise<HttpAnswer> {
  const { tracer, callHttp, gateway, timeoutMs } = settings
  const { attempt, meta } = effect
  const { traceparent } = meta
  const span = tracer.call({ method: call.method, url: urlOf(gateway, call), attempt, traceparent })
  try {
    const answer = await callHttp(gateway, call, headersOf(effect, span?.traceparent ?? traceparent), timeoutMs)
    span?.end({ status: answer.status })
    return answer
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException
    span?.end({ failed: code ?? name })
    throw error
  }
}

function headersOf(
  { messageId, meta: { correlationId } }: EffectDelivery,
  traceparent: string | undefined,
): Record<string, string> {
  return {
    'Idempotency-Key': messageId,
    'Correlation-ID': correlationId,
    'Causation-ID': messageId,
    ...(traceparent !== undefined && { traceparent }),
  }
}

async function settle(
  effect: EffectDelivery,
  request: Tagged,
  outcome: Outcome,
  settings: EffectSettings,
): Promise<void> {
  if ('temporary' in outcome) {
    await tryAgain(effect, request, outcome, settings)
  } else if (outcome.tell) {
    crashPoint('after-call', effect.service)
    await settings.deliver(outcomeCommand(effect, outcome.tell), effect.attempt > 1 || effect.mayBeRepeat)
    crashPoint('after-outcome', effect.service)
    await forgetFailure(effect, settings)
    await effect.done()
  } else if ('refused' in outcome) {
    await bury(effect, 'effect-refused', outcome.refused, settings)
  }
}

type Failure = Extract<Outcome, { temporary: string }>

async function tryAgain(
  effect: EffectDelivery,
  request: Tagged,
  { temporary, retryAfterMs }: Failure,
  settings: EffectSettings,
) {
  const { attempt } = effect
  if (attempt >= maxAttempts) return bury(effect, 'effect-exhausted', `attempt ${attempt}: ${temporary}`, settings)
  const delayMs = Math.max(backoffMs(attempt, settings.random()), retryAfterMs)
  settings.log.warn({ ...namesOf(effect), cause: temporary, delayMs }, 'the call failed; it is tried again')
  await noteFailure(effect, request, temporary, settings)
  effect.retry(delayMs)
}

function outcomeCommand({ messageId, actor, meta }: EffectDelivery, command: Tagged): OutgoingCommand {
  const id = outcomeId(messageId)
  return { to: 'mailbox', address: actor, messageId: id, command, meta: { ...meta, causationId: messageId } }
}

/** Keeps the effect as a dead letter, for a person to decide about. The actor goes on waiting. */
async function bury(effect: EffectDelivery, code: ErrorCode, cause: string, settings: EffectSettings): Promise<void> {
  const { service: kind, actor, type, messageId, payload, headers, meta } = effect
  const partition = partitionOf(actor.id, settings.partitions)
  const at = new Date().toISOString()
  const letter = { partition, kind, actorId: actor.id, type, messageId, code, cause, payload, headers, meta, at }
  await settings.deadLetters.keepDeadLetter(letter)
  await forgetFailure(effect, settings)
  settings.log.error({ ...namesOf(effect), code, cause }, 'dead letter')
  settings.publisher.announce(letter)
  settings.observer.deadLetter(kind, code)
  await effect.done()
}

async function noteFailure(
  effect: EffectDelivery,
  request: Tagged,
  cause: string,
  settings: EffectSettings,
): Promise<void> {
  const { service, attempt: attempts } = effect
  const failure = { ...failureOf(effect, settings), service, request, attempts, cause }
  await settings.failures.noteFailure(failure).catch((error) => {
    settings.log.warn({ ...namesOf(effect), err: error }, 'a failing call could not be noted')
  })
}

async function forgetFailure(effect: EffectDelivery, settings: EffectSettings): Promise<void> {
  // The first attempt of all has no failure before it.
  if (effect.attempt === 1) return
  await settings.failures.forgetFailure(failureOf(effect, settings)).catch((error) => {
    settings.log.warn({ ...namesOf(effect), err: error }, 'a call that failed before is still noted as failing')
  })
}

const failureOf = ({ actor, messageId: effectId }: EffectDelivery, { partitions }: EffectSettings) => ({
  ...actor,
  partition: partitionOf(actor.id, partitions),
  effectId,
})

function namesOf({ service, type, actor, messageId, attempt, meta }: EffectDelivery): object {
  const { correlationId, traceparent } = meta
  return { correlationId, traceparent, service, type, actor: `${actor.kind}.${actor.id}`, messageId, attempt }
}

/** Some errors of Node's network say nothing but their code. */
function causeOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException
  return message || code || String(error)
}

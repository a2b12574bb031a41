import type { Service } from '../../schemas/index.ts'
import type { Config } from '../config.ts'
import type {
  Clock,
  Deliver,
  EffectConsumer,
  EffectDelivery,
  EffectQueue,
  Hands,
  Log,
  Observer,
  Publisher,
  Store,
} from '../engine/ports.ts'
import type { Tracer } from '../engine/trace-ports.ts'
import { deadNation } from './dead-nation.ts'
import { files } from './files.ts'
import { Gate } from './gate.ts'
import { handsOf } from './hands.ts'
import type { CallHttp } from './http.ts'
import { InHand } from './in-hand.ts'
import { InTurn } from './in-turn.ts'
import type { Outcome } from './outcome.ts'
import { watchPauses } from './pauses.ts'
import { payments } from './payments.ts'
import { receipts } from './receipts.ts'
import type { AnyAdapter } from './service.ts'
import { spreadsheets } from './spreadsheets.ts'
import { transportation } from './transportation.ts'
import { carryOut, type DeadLetters, type FailureNotes } from './worker.ts'

/** Every external service there is. */
const adapters: AnyAdapter[] = [deadNation, receipts, payments, spreadsheets, files, transportation]

const timeoutMs = 10_000
const openMs = 2_000
const pausesEveryMs = 1_000

export type EffectOptions = {
  config: Pick<Config, 'GATEWAY_ADDR' | 'TURNSTILE_PARTITIONS' | 'TURNSTILE_CALLS_PER_SECOND'>
  effects: Pick<EffectQueue, 'consume'>
  publisher: Pick<Publisher, 'announce'>
  /** Offers to carry out the effects of this process's own turns. Returns what takes that back. */
  offer(service: Service, hands: Hands): () => void
  deliver: Deliver
  store: DeadLetters & FailureNotes & Pick<Store, 'readPauses'>
  clock: Clock
  callHttp: CallHttp
  /** 0 to 1. */
  random: () => number
  log: Log
  observer: Pick<Observer, 'deadLetter' | 'paused' | 'called' | 'circuit'>
  tracer: Pick<Tracer, 'effect' | 'call'>
}

type Worker = { close(): Promise<void> }

/**
 * Takes effects off the queue of every service and carries them out. Each service has hands, a gate and a time-out of its
 * own, so that one that is slow or dead holds up nobody who waits for another.
 */
export async function startEffects(options: EffectOptions): Promise<Worker> {
  const lines = adapters.map((adapter) => lineTo(adapter, options))
  const gates = new Map(lines.map(({ adapter, gate }) => [adapter.service, gate]))
  const pauses = await watchPauses({ ...options, gates, everyMs: pausesEveryMs })
  const workers = await Promise.all(lines.map((line) => startService(line, options)))
  return {
    async close() {
      await Promise.all([pauses, ...workers].map((worker) => worker.close()))
    },
  }
}

/** What stands between the queue of a service and the service. */
type Line = { adapter: AnyAdapter; gate: Gate; consumer?: EffectConsumer }

function lineTo(adapter: AnyAdapter, { config, clock, log, observer }: EffectOptions): Line {
  const { service, concurrency } = adapter
  const callsPerSecond = config.TURNSTILE_CALLS_PER_SECOND
  const limit = (most: number) => line.consumer?.limit(most)
  const gate = new Gate({ service, concurrency, callsPerSecond, openMs, limit, clock, log, observer })
  const line: Line = { adapter, gate }
  return line
}

/**
 * `close` takes no more, and lets the calls under way come to their end; one that does not in time is repeated by another
 * process.
 */
async function startService(line: Line, options: EffectOptions): Promise<Worker> {
  const { config, effects, publisher, deliver, store, clock, callHttp, random, log, observer, tracer } = options
  const { adapter, gate } = line
  const settings = {
    adapter,
    gate,
    inHand: new InHand(clock),
    inTurn: new InTurn(),
    publisher,
    deliver,
    deadLetters: store,
    failures: store,
    observer,
    tracer,
    log,
    clock,
    callHttp,
    gateway: config.GATEWAY_ADDR,
    partitions: config.TURNSTILE_PARTITIONS,
    random,
    timeoutMs,
  }
  const underWay = new Set<Promise<void>>()
  const follow = (work: Promise<void>): Promise<void> => {
    underWay.add(work)
    return work.finally(() => underWay.delete(work))
  }
  const whileOpen = { ...settings, gate: { pass: (call: () => Promise<Outcome>) => gate.passWhileOpen(call) } }
  const { service } = adapter
  const callsPerSecond = config.TURNSTILE_CALLS_PER_SECOND
  const atOnce = (effect: EffectDelivery) => follow(carryOut(effect, whileOpen))
  const takeBack = options.offer(service, handsOf({ adapter, gate, callsPerSecond, clock, carryOut: atOnce }))
  const consumer = await effects.consume(service, gate.allowed, (effect) => follow(carryOut(effect, settings)))
  line.consumer = consumer
  // A pause may have come while it was being made.
  consumer.limit(gate.allowed)
  return {
    async close() {
      takeBack()
      await consumer.close()
      gate.close()
      const ended = new AbortController()
      await Promise.race([Promise.allSettled(underWay), clock.sleep(timeoutMs, ended.signal)])
      ended.abort()
    },
  }
}

import type { Config } from '../config.ts'
import type { Clock, EffectConsumer, EffectQueue, Log, Observer, Publisher } from '../engine/ports.ts'
import { deadNation } from './dead-nation.ts'
import { files } from './files.ts'
import { Gate } from './gate.ts'
import type { CallHttp } from './http.ts'
import { payments } from './payments.ts'
import { receipts } from './receipts.ts'
import type { AnyAdapter } from './service.ts'
import { spreadsheets } from './spreadsheets.ts'
import { carryOut, type DeadLetters } from './worker.ts'

/** Every external service there is. */
const adapters: AnyAdapter[] = [deadNation, receipts, payments, spreadsheets, files]

const timeoutMs = 10_000
const openMs = 2_000

export type EffectOptions = {
  config: Pick<Config, 'GATEWAY_ADDR' | 'TURNSTILE_PARTITIONS' | 'TURNSTILE_CALLS_PER_SECOND'>
  effects: EffectQueue
  publisher: Publisher
  store: DeadLetters
  clock: Clock
  callHttp: CallHttp
  /** 0 to 1. */
  random: () => number
  log: Log
  observer: Pick<Observer, 'deadLetter'>
}

type Worker = { close(): Promise<void> }

/**
 * Takes effects off the queue of every service and carries them out. Each service has hands, a gate and a time-out of its
 * own, so that one that is slow or dead holds up nobody who waits for another.
 */
export async function startEffects(options: EffectOptions): Promise<Worker> {
  const workers = await Promise.all(adapters.map((adapter) => startService(adapter, options)))
  return {
    async close() {
      await Promise.all(workers.map((worker) => worker.close()))
    },
  }
}

/**
 * `close` takes no more, and lets the calls under way come to their end; one that does not in time is repeated by another
 * process.
 */
async function startService(adapter: AnyAdapter, options: EffectOptions): Promise<Worker> {
  const { config, effects, publisher, store, clock, callHttp, random, log, observer } = options
  const { service, concurrency } = adapter
  let consumer: EffectConsumer | undefined
  const gate = new Gate({
    service,
    concurrency,
    callsPerSecond: config.TURNSTILE_CALLS_PER_SECOND,
    openMs,
    limit: (most) => consumer?.limit(most),
    clock,
    log,
  })
  const settings = {
    adapter,
    gate,
    publisher,
    deadLetters: store,
    observer,
    log,
    clock,
    callHttp,
    gateway: config.GATEWAY_ADDR,
    partitions: config.TURNSTILE_PARTITIONS,
    random,
    timeoutMs,
  }
  const underWay = new Set<Promise<void>>()
  consumer = await effects.consume(service, concurrency, (effect) => {
    const work = carryOut(effect, settings)
    underWay.add(work)
    return work.finally(() => underWay.delete(work))
  })
  return {
    async close() {
      await consumer.close()
      gate.close()
      const ended = new AbortController()
      await Promise.race([Promise.allSettled(underWay), clock.sleep(timeoutMs, ended.signal)])
      ended.abort()
    },
  }
}

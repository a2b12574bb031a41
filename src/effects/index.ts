import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../config.ts'
import type { EffectQueue, Log, Observer, Publisher } from '../engine/ports.ts'
import { deadNation } from './dead-nation.ts'
import type { AnyAdapter } from './service.ts'
import { carryOut, type DeadLetters } from './worker.ts'

/** Every external service there is. */
const adapters: AnyAdapter[] = [deadNation]

const timeoutMs = 10_000

export type EffectOptions = {
  config: Pick<Config, 'GATEWAY_ADDR' | 'TURNSTILE_PARTITIONS'>
  effects: EffectQueue
  publisher: Publisher
  store: DeadLetters
  log: Log
  observer: Observer
}

/**
 * Takes effects off the queue of every service and carries them out. `close` takes no more, and lets the calls under way
 * come to their end; one that does not in time is repeated by another process.
 */
export async function startEffects(options: EffectOptions): Promise<{ close(): Promise<void> }> {
  const { config, effects, publisher, store, log, observer } = options
  const underWay = new Set<Promise<void>>()
  const settings = {
    publisher,
    deadLetters: store,
    observer,
    log,
    gateway: config.GATEWAY_ADDR,
    partitions: config.TURNSTILE_PARTITIONS,
    random: Math.random,
    timeoutMs,
  }
  const consumers = await Promise.all(
    adapters.map((adapter) =>
      effects.consume(adapter.service, adapter.concurrency, (effect) => {
        const work = carryOut(effect, { ...settings, adapter })
        underWay.add(work)
        return work.finally(() => underWay.delete(work))
      }),
    ),
  )
  return {
    async close() {
      await Promise.all(consumers.map((consumer) => consumer.close()))
      await Promise.race([Promise.allSettled(underWay), sleep(timeoutMs, undefined, { ref: false })])
    },
  }
}

import { services } from '../../schemas/index.ts'
import { systemClock } from '../clock.ts'
import { callHttp } from '../effects/http.ts'
import { startEffects } from '../effects/index.ts'
import type { AtOnce } from '../engine/at-once.ts'
import type { Deliver } from '../engine/ports.ts'
import { lookAgain } from '../telemetry/look.ts'
import type { Ground } from './ground.ts'

/** The server looks up each consumer for it. */
const queuesEveryMs = 10_000

/**
 * Calls the external services, and counts what waits for them.
 *
 * @param deliver takes what comes of the calls
 * @param atOnce is offered hands for those of this process's own turns
 */
export async function startCalls(ground: Ground, deliver: Deliver, atOnce: AtOnce): Promise<void> {
  const { config, log, metrics, tracer, store, broker, parts } = ground
  const outside = { clock: systemClock, callHttp, log, observer: metrics.observer, tracer }
  const ports = {
    effects: broker.effects,
    publisher: broker.publisher,
    offer: atOnce.offer,
    deliver,
    store,
    ...outside,
  }
  const effects = await startEffects({ config, ...ports, random: Math.random })
  const look = async () => {
    for (const service of services) metrics.effectsLag(service, await broker.effects.waiting(service))
  }
  const queues = lookAgain({ look, everyMs: queuesEveryMs, clock: systemClock, log })
  parts.push({ name: 'effects', stop: () => effects.close() }, { name: 'queues', stop: () => queues.close() })
}

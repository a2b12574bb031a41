import { openAccess, openToAll } from '../access/access.ts'
import { systemClock } from '../clock.ts'
import type { Requests } from '../engine/ports.ts'
import { createIngress } from '../ingress/server.ts'
import { lookAgain } from '../telemetry/look.ts'
import type { Ground } from './ground.ts'

const censusEveryMs = 5_000

/**
 * Serves HTTP: every process tells how it is, and those with the role take requests too. Resolves when it listens.
 *
 * @param requests the way of a request to its actor
 * @throws `config-invalid` when a port cannot be listened on, or whoever asks would be let in
 */
export async function startIngress(ground: Ground, requests: Requests, isOpen: boolean): Promise<void> {
  const { config, log, metrics, tracer, parts } = ground
  // A process that takes no requests has nothing to guard.
  const access = isOpen ? await openAccess(config, log) : openToAll
  parts.push({ name: 'access', stop: () => access.close() })

  const { reads, readModels, feed } = ground.store
  const look = async () => metrics.census(await reads.census())
  const census = lookAgain({ look, everyMs: censusEveryMs, clock: systemClock, log })
  parts.push({ name: 'census', stop: () => census.close() })

  const ingress = createIngress({ config, isOpen, access, requests, reads, readModels, feed, metrics, tracer, log })
  await ingress.listen()
  parts.push({ name: 'ingress', stop: () => ingress.drain(config.TURNSTILE_DRAIN_MS) })
}

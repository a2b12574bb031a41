import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Config } from '../config.ts'
import { AtOnce } from '../engine/at-once.ts'
import type { Deliver, Requests } from '../engine/ports.ts'
import type { Role } from '../roles.ts'
import { createLog } from '../telemetry/log.ts'
import { type Ground, layGround } from './ground.ts'
import { startIngress } from './ingress.ts'
import { type Part, stopParts } from './parts.ts'

export type Daemon = {
  /** Drains: answers what was asked, hands over what is owned, then lets go of everything. */
  stop(): Promise<void>
}

/**
 * Starts everything that the roles ask for, bottom up. Resolves when it serves.
 *
 * @throws any code that says what is missing; what was started is stopped again
 */
export async function startDaemon(config: Config, roles: Role[]): Promise<Daemon> {
  const worker = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`
  const log = createLog(config.LOG_LEVEL, worker)
  const parts: Part[] = []
  try {
    await startRoles(await layGround(config, worker, log, parts), roles)
  } catch (error) {
    await stopParts(parts, log)
    throw error
  }
  log.info({ roles }, 'serving')
  return {
    async stop() {
      log.info({}, 'draining')
      await stopParts(parts, log)
      log.info({}, 'stopped')
    },
  }
}

/** A role that the process does not have is not even loaded. */
async function startRoles(ground: Ground, roles: Role[]): Promise<void> {
  const { publisher } = ground.broker
  let { requests }: { requests: Requests } = ground.broker
  const atOnce = new AtOnce(publisher, Date.now, ground.log)
  let deliver: Deliver = (command) => publisher.publish([command])
  if (roles.includes('worker')) {
    const { startWorker } = await import('./worker.ts')
    const shortWay = startWorker(ground, atOnce)
    requests = shortWay
    deliver = shortWay.deliver
  }
  if (roles.includes('effects')) {
    const { startCalls } = await import('./effects.ts')
    await startCalls(ground, deliver, atOnce)
  }
  if (roles.includes('projector')) {
    const { startProjector } = await import('./projector.ts')
    startProjector(ground)
  }
  await startIngress(ground, requests, roles.includes('ingress'))
}

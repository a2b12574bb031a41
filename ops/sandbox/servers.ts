import path from 'node:path'
import { startGateway } from './gateway.ts'
import { startNats } from './nats.ts'
import { requirePort } from './ports.ts'
import { startPostgres } from './postgres.ts'
import type { Server } from './server.ts'
import type { Settings } from './settings.ts'

export type Addresses = { POSTGRES_URL: string; NATS_URL: string; GATEWAY_ADDR: string }

/** Fails when one of the ports that we are going to need is taken, before anything is started. */
export async function requirePorts({ httpPort, postgres, nats, gateway }: Settings): Promise<void> {
  await requirePort('HTTP', httpPort, 'PORT')
  if ('port' in postgres) await requirePort('Postgres', postgres.port, postgres.setting)
  if ('port' in nats) await requirePort('NATS', nats.port, nats.setting)
  if ('port' in gateway) await requirePort('the simulated services', gateway.port, gateway.setting)
}

export type BringOptions = {
  progress(line: string): void
  /** Is told of every server process, as soon as it runs. */
  watch(server: Server): void
}

/** Starts what is not given. Stop it with `stopAll`. */
export async function bringServers(settings: Settings, { progress, watch }: BringOptions): Promise<Addresses> {
  const { dataFolder, httpPort, postgres, nats, gateway, prefix, partitions, webhookSecret } = settings

  const bringPostgres = async (port: number): Promise<string> => {
    progress('starting Postgres')
    const server = await startPostgres({
      folder: path.join(dataFolder, 'postgres'),
      port,
      logFile: logFile(settings, 'postgres'),
    })
    watch(server)
    return server.url
  }
  const bringNats = async (port: number): Promise<string> => {
    progress('starting nats-server')
    const server = await startNats({
      folder: path.join(dataFolder, 'nats'),
      port,
      logFile: logFile(settings, 'nats'),
      prefix,
      partitions,
      progress,
    })
    watch(server)
    return server.url
  }
  const bringGateway = async (port: number): Promise<string> => {
    const { addr } = await startGateway({ port, daemonUrl: `http://127.0.0.1:${httpPort}`, webhookSecret })
    return addr
  }
  return {
    POSTGRES_URL: 'url' in postgres ? postgres.url : await bringPostgres(postgres.port),
    NATS_URL: 'url' in nats ? nats.url : await bringNats(nats.port),
    GATEWAY_ADDR: 'url' in gateway ? gateway.url : await bringGateway(gateway.port),
  }
}

export function logFile({ dataFolder }: Settings, name: string): string {
  return path.join(dataFolder, 'logs', `${name}.log`)
}

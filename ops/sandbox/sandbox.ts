import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Gateway, startGateway } from './gateway.ts'
import { type NatsServer, startNats } from './nats.ts'
import { freePort } from './ports.ts'
import { type PostgresServer, startPostgres } from './postgres.ts'

export type SandboxOptions = {
  postgresSettings?: Record<string, string>
  /** How long the simulated Dead Nation takes until it confirms a booking. */
  confirmAfterMs?: number
  /** Who may connect to NATS; anybody unless given. */
  natsAuthorization?: string
}

export type Sandbox = {
  /** The environment of a daemon; the simulated services call back the one that listens on its `PORT`. */
  env: { POSTGRES_URL: string; NATS_URL: string; GATEWAY_ADDR: string; PORT: string }
  postgres: PostgresServer
  nats: NatsServer
  gateway: Gateway
  /** Stops the servers and removes their data. Stop the daemons first. */
  stop(): Promise<void>
}

/** All that a daemon needs, empty, on free ports and in a folder that goes with it: for system tests and benchmarks. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const folder = mkdtempSync(path.join(process.env.TEST_FOLDER ?? tmpdir(), 'sandbox-'))
  const inFolder = (name: string): string => path.join(folder, name)
  const port = await freePort()

  const postgres = await startPostgres({
    folder: inFolder('postgres'),
    port: await freePort(),
    logFile: inFolder('postgres.log'),
    settings: options.postgresSettings,
  })
  const nats = await startNats({
    folder: inFolder('nats'),
    port: await freePort(),
    logFile: inFolder('nats.log'),
    authorization: options.natsAuthorization,
  })
  const gateway = await startGateway({
    port: await freePort(),
    daemonUrl: `http://127.0.0.1:${port}`,
    confirmAfterMs: options.confirmAfterMs,
  })

  return {
    env: { POSTGRES_URL: postgres.url, NATS_URL: nats.url, GATEWAY_ADDR: gateway.addr, PORT: String(port) },
    postgres,
    nats,
    gateway,
    stop: async () => {
      await gateway.close()
      await nats.stop()
      await postgres.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

import path from 'node:path'
import { SandboxError } from './errors.ts'
import { projectFolder } from './folders.ts'

export type Settings = {
  /** Keeps the data and the logs between runs. */
  dataFolder: string
  httpPort: number
  /** The address that is given, or the port for a server of our own. */
  postgres: Given | Brought
  nats: Given | Brought
  gateway: Given | Brought
  /** The daemon's own settings, which nats-server 2.9 needs too. */
  prefix: string | undefined
  partitions: number | undefined
  /** The simulated Dead Nation signs by the first of the daemon's. */
  webhookSecret: string | undefined
}

type Given = { url: string }
type Brought = { port: number; setting: string }

/** Out of the way of the usual ports of these servers, and of the ports that Linux gives to outgoing connections. */
const defaultPorts = { http: 8080, postgres: 25432, nats: 24222, gateway: 28080 }

export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const bring = (variable: string, port: number): Given | Brought => {
    const setting = `TURNSTILE_SANDBOX_${variable.split('_')[0]}_PORT`
    return env[variable] ? { url: env[variable] } : { port: readPort(env, setting, port), setting }
  }
  return {
    dataFolder: path.resolve(env.TURNSTILE_DATA_DIR || path.join(projectFolder, '.turnstile')),
    httpPort: readPort(env, 'PORT', defaultPorts.http),
    postgres: bring('POSTGRES_URL', defaultPorts.postgres),
    nats: bring('NATS_URL', defaultPorts.nats),
    gateway: bring('GATEWAY_ADDR', defaultPorts.gateway),
    prefix: env.TURNSTILE_PREFIX || undefined,
    webhookSecret: env.TURNSTILE_WEBHOOK_SECRETS?.split(',')[0] || undefined,
    partitions: env.TURNSTILE_PARTITIONS ? Number(env.TURNSTILE_PARTITIONS) : undefined,
  }
}

function readPort(env: NodeJS.ProcessEnv, name: string, fallback: number): number {
  const text = env[name] || String(fallback)
  const port = Number(text)
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new SandboxError('bad-setting', `${name} is ${text}, which is no port: set it to a number from 1 to 65535`)
}

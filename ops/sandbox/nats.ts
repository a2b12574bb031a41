import { writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { defaultPartitions } from '../../src/config.ts'
import { SandboxError } from './errors.ts'
import { brokenData, ensureFolder } from './folders.ts'
import { findNatsServer, isAtLeast, type Version } from './nats-binary.ts'
import { type Server, startServer } from './server.ts'

export type NatsOptions = {
  /** Keeps the streams and the configuration; made when it is missing. */
  folder: string
  port: number
  logFile: string
  /** What the subjects begin with; `*` serves any prefix of one word. */
  prefix?: string | undefined
  partitions?: number | undefined
  /** The part of the configuration that says who may connect; anybody unless given. */
  authorization?: string | undefined
  /** As a member of a cluster: where it listens for the others, and where all of them do. */
  cluster?: { port: number; ports: number[] }
  progress?: ((line: string) => void) | undefined
}

export type NatsServer = Server & {
  url: string
  /** Where it keeps the streams: without it, it has lost them. */
  streamsFolder: string
}

/** From this version on a stream can map subjects itself, and the daemon's does. */
const hasSubjectTransform: Version = { major: 2, minor: 10 }

/** Starts a nats-server with JetStream on loopback. */
export async function startNats(options: NatsOptions): Promise<NatsServer> {
  const binary = await findNatsServer(options.progress)
  ensureFolder(options.folder)
  const configuration = path.join(options.folder, 'nats-server.conf')
  writeFileSync(configuration, natsConfiguration(options, binary.version))

  const server = await startServer({
    process: {
      name: 'nats-server',
      command: binary.path,
      args: ['--config', configuration],
      // It takes SIGINT as a wish to stop and exits with 0.
      stopSignal: 'SIGINT',
      logFile: options.logFile,
    },
    isReady: () => greets(options.port),
  }).catch((cause) => {
    throw cause instanceof SandboxError && cause.code === 'died' ? brokenData(options.folder, cause) : cause
  })
  return {
    ...server,
    url: `nats://127.0.0.1:${options.port}`,
    streamsFolder: path.join(options.folder, 'jetstream'),
  }
}

export function natsConfiguration(options: NatsOptions, version: Version): string {
  const mapping = isAtLeast(version, hasSubjectTransform) ? [] : [`mappings: { ${partitionMapping(options)} }`]
  return [
    `server_name: turnstile-sandbox${options.cluster ? `-${options.port}` : ''}`,
    'host: 127.0.0.1',
    `port: ${options.port}`,
    // An HTTP body may have 1 MiB, and travels with headers and an envelope.
    'max_payload: 2MB',
    'jetstream {',
    `  store_dir: ${JSON.stringify(options.folder)}`,
    // A stream's size limit counts in full from its creation, and many tests with streams of their own share a server.
    '  max_file_store: 1TB',
    '  max_memory_store: 1GB',
    '}',
    ...mapping,
    ...(options.cluster ? clusterConfiguration(options.cluster) : []),
    options.authorization ?? '',
  ].join('\n')
}

function clusterConfiguration({ port, ports }: { port: number; ports: number[] }): string[] {
  const routes = ports.map((other) => `nats-route://127.0.0.1:${other}`)
  return [
    'cluster {',
    '  name: turnstile-sandbox',
    '  host: 127.0.0.1',
    `  port: ${port}`,
    `  routes: [${routes.join(', ')}]`,
    '}',
  ]
}

/** Sends a command into its partition's part of the mailbox stream: FNV-1a of the actor's id, as everywhere here. */
function partitionMapping({ prefix = 'turnstile', partitions = defaultPartitions }: NatsOptions): string {
  // The numbers count the wildcards of the source, among which the prefix may be one itself.
  const first = prefix === '*' ? 2 : 1
  const [kind, id, name] = [first, first + 1, first + 2]
  const mapped = prefix === '*' ? '{{wildcard(1)}}' : prefix
  const tokens = [`{{partition(${partitions},${id})}}`, `{{wildcard(${kind})}}`, `{{wildcard(${id})}}`]
  return `"${prefix}.cmd.*.*.*": "${mapped}.mbx.${tokens.join('.')}.{{wildcard(${name})}}"`
}

/** nats-server opens its port when JetStream has recovered, and then speaks first. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    const answer = (isReady: boolean): void => {
      socket.destroy()
      resolve(isReady)
    }
    socket.setTimeout(1000, () => answer(false))
    socket.once('data', (data) => answer(data.toString().startsWith('INFO ')))
    socket.once('error', () => answer(false))
    socket.once('close', () => answer(false))
  })
}

import { rmSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { compile } from '../compile.mjs'
import { compiled, startDaemon } from './daemon.ts'
import { SandboxError } from './errors.ts'
import { ensureFolder } from './folders.ts'
import { interrupted } from './interrupt.ts'
import { readLogLine } from './log-line.ts'
import { clearStaleLock } from './postgres-lock.ts'
import { stopAll } from './process.ts'
import { readyBlock } from './ready.ts'
import { died, type Server } from './server.ts'
import { bringServers, logFile, requirePorts } from './servers.ts'
import { readSettings, type Settings } from './settings.ts'

const help = `npm start [-- --fresh]

Starts the daemon and whatever it needs that the environment does not name, and stays up until Ctrl-C.

  --fresh  forget the data of earlier runs first
  --help   show this

  PORT                             where the daemon listens (8080)
  POSTGRES_URL                     a Postgres to use; else one is started, on port
  TURNSTILE_SANDBOX_POSTGRES_PORT    (25432)
  NATS_URL                         a NATS with JetStream to use; else one is started, on port
  TURNSTILE_SANDBOX_NATS_PORT        (24222)
  GATEWAY_ADDR                     the external services; else they are simulated, on port
  TURNSTILE_SANDBOX_GATEWAY_PORT     (28080)
  NATS_SERVER_BIN                  the nats-server to start; else that of the PATH, else one is fetched with apt
  TURNSTILE_DATA_DIR               keeps data and logs (.turnstile)
`

/** Runs everything until someone stops it, and returns the exit code. */
export async function main(args: string[]): Promise<number> {
  try {
    const { values } = parseArgs({
      args,
      options: { fresh: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    })
    if (values.help) {
      say(help)
      return 0
    }
    await Promise.race([run(readSettings(process.env), values.fresh === true), interrupted()])
    return 0
  } catch (error) {
    if (!isForPeople(error)) throw error
    console.error(`\n${error.message}`)
    return 1
  } finally {
    await stopAll(progress)
  }
}

async function run(settings: Settings, isFresh: boolean): Promise<never> {
  await requirePorts(settings)
  prepareFolder(settings.dataFolder, isFresh)

  const { failure, watch } = watchServers()
  const [addresses] = await Promise.all([bringServers(settings, { progress, watch }), compile()])
  progress('starting the daemon')
  const starting = startDaemon({
    program: compiled,
    env: { ...addresses, PORT: String(settings.httpPort) },
    logFile: logFile(settings, 'daemon'),
    onLine: showWarning,
  })
  const daemon = await Promise.race([starting, failure])
  watch(daemon)
  say(readyBlock(addresses, daemon.url, settings.dataFolder))
  return failure
}

/** The logs are those of this run; the data stays unless it is to be forgotten. */
function prepareFolder(folder: string, isFresh: boolean): void {
  ensureFolder(folder)
  clearStaleLock(path.join(folder, 'postgres', 'data'))
  for (const name of isFresh ? ['logs', 'postgres', 'nats'] : ['logs']) {
    rmSync(path.join(folder, name), { recursive: true, force: true })
  }
}

/** `failure` rejects when a watched server ends, for whatever reason. */
function watchServers(): { failure: Promise<never>; watch(server: Server): void } {
  let fail: (error: Error) => void
  const failure = new Promise<never>((_, reject) => {
    fail = reject
  })
  // Whoever waits for it is told; nobody waiting yet is no reason to crash.
  failure.catch(() => {})
  return {
    failure,
    watch: (server) => {
      const process = server.process()
      void process.exited.then(() => fail(died(process)))
    },
  }
}

function showWarning(line: string): void {
  const { isWarning, text } = readLogLine(line)
  if (isWarning) console.error(`daemon: ${text}`)
}

function progress(line: string): void {
  say(`· ${line}`)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

function isForPeople(error: unknown): error is Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return error instanceof SandboxError || code.startsWith('ERR_PARSE_ARGS')
}

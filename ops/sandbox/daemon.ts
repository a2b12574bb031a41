import { projectFolder } from './folders.ts'
import { freePort } from './ports.ts'
import { type Server, startServer } from './server.ts'

export type DaemonOptions = {
  /** What the daemon's configuration is made of, on top of our own environment. Without `PORT` it gets a free one. */
  env: Record<string, string>
  /** What it does; all of it unless told otherwise. */
  roles?: string | undefined
  /** For Node itself, such as a profiler's switch. */
  nodeArgs?: string[]
  /** What Node runs, and where; the source unless told otherwise. */
  program?: { cwd: string; args: string[] }
  logFile?: string
  onLine?: (line: string) => void
}

export type Daemon = Server & { url: string }

const source = { cwd: projectFolder, args: ['--import', 'tsx', 'src/main.ts'] }

/** What production runs; `ops/compile.mjs` makes it. */
export const compiled = { cwd: projectFolder, args: ['dist/src/main.js'] }

/** Starts the daemon as a process of its own and waits until it is ready. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { env, roles, nodeArgs = [], program = source, logFile, onLine } = options
  const port = env.PORT ?? String(await freePort())
  const url = `http://127.0.0.1:${port}`
  const server = await startServer({
    process: {
      name: 'the daemon',
      command: process.execPath,
      args: [...nodeArgs, ...program.args, 'run', ...(roles === undefined ? [] : ['--roles', roles])],
      cwd: program.cwd,
      env: { ...process.env, ...env, PORT: port },
      // It gives up its partitions and answers what it has taken, which may take as long as its slowest request.
      stopGraceMs: 20_000,
      logFile,
      onLine,
    },
    isReady: () => isReady(url),
  })
  return { ...server, url }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) })
    await response.body?.cancel()
    return response.status === 200
  } catch {
    return false
  }
}

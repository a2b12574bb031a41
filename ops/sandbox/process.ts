import { type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdirSync } from 'node:fs'
import path from 'node:path'
import readline from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { SandboxError } from './errors.ts'
import { guard, release } from './guard.ts'

export type ProcessOptions = {
  name: string
  command: string
  args: string[]
  env?: NodeJS.ProcessEnv
  cwd?: string
  /** Run as this user and group (root only). */
  uid?: number | undefined
  gid?: number | undefined
  /** Every line of output is appended here. */
  logFile?: string | undefined
  onLine?: ((line: string) => void) | undefined
  /** `inherit` lets the child write to our own terminal; then there are no lines. */
  output?: 'lines' | 'inherit'
  stopSignal?: NodeJS.Signals
  /** How long a stop may take before it becomes a kill. */
  stopGraceMs?: number
}

export type Exit = { code: number | null; signal: NodeJS.Signals | null }

/** A child process in a process group of its own, so that a Ctrl-C on the terminal reaches us and not the child. */
export type RunningProcess = {
  name: string
  pid: number
  logFile: string | undefined
  /** The last lines of output, at most 1,000. */
  lines: readonly string[]
  /** Resolves, and never rejects, once the process is gone and all its output is read. */
  exited: Promise<Exit>
  exit(): Exit | undefined
  signal(signal: NodeJS.Signals): void
  /** Asks it to stop, kills it when the grace is over, and waits until it is gone. */
  stop(): Promise<Exit>
  /** Kills its whole group and waits until it is gone. */
  kill(): Promise<Exit>
}

const keptLines = 1000
const running: RunningProcess[] = []
let isClosing = false

export async function launch(options: ProcessOptions): Promise<RunningProcess> {
  if (isClosing) throw new SandboxError('stopping', `${options.name} was not started: everything is being stopped`)

  const child = spawn(options.command, options.args, spawnOptions(options))
  if (child.pid === undefined) {
    const [cause] = (await once(child, 'error')) as [Error]
    throw new SandboxError('missing-tool', `${options.name} could not be started: ${cause.message}`, { cause })
  }
  const pid = child.pid
  guard(pid)

  const lines: string[] = []
  const log = options.logFile === undefined ? undefined : appendTo(options.logFile)
  const keep = (line: string): void => {
    lines.push(line)
    if (lines.length > keptLines) lines.shift()
    log?.write(`${line}\n`)
    options.onLine?.(line)
  }
  for (const input of [child.stdout, child.stderr]) if (input) readline.createInterface({ input }).on('line', keep)

  let exit: Exit | undefined
  // `close` and not `exit`: it also waits for the output, which grandchildren (Postgres backends) may still hold.
  const exited = once(child, 'close').then(([code, signal]) => {
    release(pid)
    log?.end()
    running.splice(running.indexOf(self), 1)
    exit = { code, signal }
    return exit
  })

  const self: RunningProcess = {
    name: options.name,
    pid,
    logFile: options.logFile,
    lines,
    exited,
    exit: () => exit,
    signal: (signal) => {
      if (exit === undefined) send(pid, signal)
    },
    kill: () => {
      if (exit === undefined) sendToGroup(pid, 'SIGKILL')
      return exited
    },
    stop: async () => {
      self.signal(options.stopSignal ?? 'SIGTERM')
      const grace = new AbortController()
      const overdue = sleep(options.stopGraceMs ?? 10_000, undefined, { signal: grace.signal }).then(
        () => self.kill(),
        () => exited,
      )
      await Promise.race([exited, overdue])
      grace.abort()
      return exited
    },
  }
  running.push(self)
  return self
}

/** Stops all that runs, what started last first, and lets nothing start any more. */
export async function stopAll(progress: (line: string) => void = () => {}): Promise<void> {
  isClosing = true
  for (const process of running.toReversed()) {
    progress(`stopping ${process.name}`)
    await process.stop()
  }
}

/** Kills all that runs, at once, and lets nothing start any more. */
export function killAll(): void {
  isClosing = true
  for (const process of running) sendToGroup(process.pid, 'SIGKILL')
}

export function describeExit(exit: Exit): string {
  return exit.signal === null ? `exit code ${exit.code}` : `killed by ${exit.signal}`
}

function spawnOptions(options: ProcessOptions): SpawnOptions {
  return {
    detached: true,
    stdio: options.output === 'inherit' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    env: options.env ?? process.env,
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.uid !== undefined && { uid: options.uid }),
    ...(options.gid !== undefined && { gid: options.gid }),
  }
}

function appendTo(file: string) {
  mkdirSync(path.dirname(file), { recursive: true })
  return createWriteStream(file, { flags: 'a' })
}

function sendToGroup(pid: number, signal: NodeJS.Signals): void {
  send(process.platform === 'win32' ? pid : -pid, signal)
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // The process is gone already, and its exit on the way to us.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

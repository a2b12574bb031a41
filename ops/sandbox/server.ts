import { setTimeout as sleep } from 'node:timers/promises'
import { SandboxError } from './errors.ts'
import { readLogLine } from './log-line.ts'
import { describeExit, launch, type ProcessOptions, type RunningProcess } from './process.ts'

export type ServerOptions = {
  process: ProcessOptions
  /** Whether it serves by now. */
  isReady(): Promise<boolean>
  /** How long it may take until it does. */
  readyWithinMs?: number
}

/** A server process that can be stopped or killed and started again on the same port and data. */
export type Server = {
  process(): RunningProcess
  /** Starts it and waits until it serves. */
  start(): Promise<void>
  stop(): Promise<void>
  /** `kill -9`, to see what the others make of it. */
  kill(): Promise<void>
}

const pollMs = 20

export async function startServer(options: ServerOptions): Promise<Server> {
  let current = await launchUntilReady(options)
  return {
    process: () => current,
    start: async () => {
      current = await launchUntilReady(options)
    },
    stop: async () => {
      await current.stop()
    },
    kill: async () => {
      await current.kill()
    },
  }
}

async function launchUntilReady(options: ServerOptions): Promise<RunningProcess> {
  const process = await launch(options.process)
  const readyWithinMs = options.readyWithinMs ?? 60_000
  const deadline = Date.now() + readyWithinMs
  while (!(await options.isReady())) {
    if (process.exit() !== undefined) throw died(process)
    if (Date.now() > deadline) {
      await process.kill()
      throw new SandboxError('not-ready', withLog(`${process.name} was not ready within ${readyWithinMs} ms`, process))
    }
    await sleep(pollMs)
  }
  return process
}

/** The error that tells of a process that ended although nobody asked it to. */
export function died(process: RunningProcess): SandboxError {
  const exit = process.exit()
  const how = exit === undefined ? 'still running' : describeExit(exit)
  return new SandboxError('died', withLog(`${process.name} stopped by itself (${how})`, process))
}

function withLog(message: string, process: RunningProcess): string {
  const last = process.lines.slice(-10).map((line) => `  ${readLogLine(line).text}`)
  const where = process.logFile === undefined ? [] : [`the whole log: ${process.logFile}`]
  return [`${message}${last.length > 0 ? '; its last lines:' : ''}`, ...last, ...where].join('\n')
}

import type { Daemon, DaemonOptions } from '../../ops/sandbox/daemon.ts'
import { startDaemon } from '../../ops/sandbox/daemon.ts'
import { SandboxError } from '../../ops/sandbox/errors.ts'
import type { Link } from './link.ts'

/** A daemon behind its links, that is started again whenever it ends. */
export type Member = {
  name: string
  links: Record<LinkKind, Link | undefined>
  /** Whether it has been ready since it was started last. */
  isUp(): boolean
  pid(): number
  signal(signal: NodeJS.Signals): void
  /** `kill -9`, and the start of the next at once. Resolves when it is dead. */
  kill(): Promise<void>
  stop(): Promise<void>
}

export type LinkKind = 'NATS' | 'Postgres' | 'services'

export type MemberOptions = DaemonOptions & {
  name: string
  links: Partial<Record<LinkKind, Link>>
  /** It ended though nobody had killed it. */
  onEnd(how: string): void
}

export async function startMember({ name, links, onEnd, ...options }: MemberOptions): Promise<Member> {
  const daemon: Daemon = await startDaemon(options)
  let isUp = false
  let isStopping = false
  let returning: Promise<void> | undefined

  const rise = (): void => {
    isUp = true
    const process = daemon.process()
    void process.exited.then(({ code, signal }) => {
      if (!isUp || daemon.process() !== process) return
      onEnd(`${name} ended by itself (${signal ?? code}): ${process.lines.at(-1)}`)
      fall()
    })
  }
  const fall = (): void => {
    isUp = false
    returning = comeBack().catch((error) => onEnd(`${name} cannot be started: ${error}`))
  }
  /** One that finds no server to start with ends, as it should; whoever runs it tries again. */
  const comeBack = async (): Promise<void> => {
    while (!isStopping) {
      try {
        await daemon.start()
        return rise()
      } catch (error) {
        if (!(error instanceof SandboxError)) throw error
      }
    }
  }
  rise()
  return {
    name,
    links: { NATS: undefined, Postgres: undefined, services: undefined, ...links },
    isUp: () => isUp,
    pid: () => daemon.process().pid,
    signal: (signal) => daemon.process().signal(signal),
    async kill() {
      isUp = false
      await daemon.kill()
      fall()
    },
    async stop() {
      isStopping = true
      await returning
      isUp = false
      await daemon.stop()
    },
  }
}

import { existsSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { SandboxError } from './errors.ts'
import { describeCommand, isAlive } from './pids.ts'

/**
 * A postmaster that was killed leaves its pid behind. After a reboot, or in a container, that number may belong to an
 * innocent process, and Postgres would refuse to start until someone deletes the file.
 */
export function clearStaleLock(data: string): void {
  const file = path.join(data, 'postmaster.pid')
  if (!existsSync(file)) return
  const pid = Number.parseInt(readFileSync(file, 'utf8'), 10)
  if (isAlive(pid) && describeCommand(pid).includes(data)) {
    const message = `a Postgres (pid ${pid}) is still running on ${data}: stop it, or set TURNSTILE_DATA_DIR`
    throw new SandboxError('broken-data', message)
  }
  rmSync(file)
}

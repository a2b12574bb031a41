import { spawn } from 'node:child_process'
import type { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('guard-process.mjs', import.meta.url))

let pipe: Writable | undefined

/** Has the process group of `pid` killed when this process is gone, however it went. */
export function guard(pid: number): void {
  pipe ??= startGuard()
  pipe.write(`+${pid}\n`)
}

/** To be called once the group is gone: its number may soon belong to someone else. */
export function release(pid: number): void {
  pipe?.write(`-${pid}\n`)
}

function startGuard(): Writable {
  const child = spawn(process.execPath, [script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  child.unref()
  // The guard was killed itself: what we started still stops with us in every way but `kill -9`.
  child.stdin.on('error', () => {})
  // The pipe must not keep this process alive; @types/node hides that a child's stdin is a socket.
  const socket = child.stdin as Writable & { unref(): void }
  socket.unref()
  return socket
}

import { readFileSync } from 'node:fs'

/** What a process has in memory, in MiB. Without `/proc`, as on macOS, or when it has ended, it is unknown. */
export function residentMb(pid: number): number | undefined {
  try {
    const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return kilobytes === undefined ? undefined : Math.round(Number(kilobytes) / 1_024)
  } catch {
    return undefined
  }
}

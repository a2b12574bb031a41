import { readFileSync } from 'node:fs'

/** What a process has in memory, in MiB. Without `/proc`, as on macOS, or when it has ended, it is unknown. */
export const residentMb = (pid: number): number | undefined => megabytes(`/proc/${pid}/status`, 'VmRSS')

/** What processes that have much in common hold together, in MiB: each page of that counts once. */
export function sharedMb(pids: number[]): number | undefined {
  const each = pids.flatMap((pid) => megabytes(`/proc/${pid}/smaps_rollup`, 'Pss') ?? [])
  return each.length === 0 ? undefined : each.reduce((sum, own) => sum + own, 0)
}

function megabytes(file: string, field: string): number | undefined {
  try {
    const [, kilobytes] = new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(file, 'utf8')) ?? []
    return kilobytes === undefined ? undefined : Math.round(Number(kilobytes) / 1_024)
  } catch {
    return undefined
  }
}

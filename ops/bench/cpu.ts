import { readdirSync, readFileSync } from 'node:fs'

/** What `/proc` counts in; the same on every Linux that Node runs on. */
const ticksPerSecond = 100

type Stat = { pid: number; parent: number; seconds: number }

/**
 * The processor time that a process and its children have used so far, in seconds. Without `/proc`, as on macOS, it is
 * unknown.
 */
export function cpuSeconds(pid: number): number | undefined {
  return readTree(pid)?.reduce((sum, { seconds }) => sum + seconds, 0)
}

/** The numbers of a process and its children. Without `/proc` none are known. */
export function treeOf(pid: number): number[] | undefined {
  return readTree(pid)?.map((stat) => stat.pid)
}

function readTree(pid: number): Stat[] | undefined {
  const stats = readStats()
  const from = (id: number): Stat[] => {
    const own = stats?.filter((stat) => stat.pid === id) ?? []
    return [...own, ...(stats?.filter(({ parent }) => parent === id).flatMap((child) => from(child.pid)) ?? [])]
  }
  return stats && from(pid)
}

function readStats(): Stat[] | undefined {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => readStat(Number(pid)))
  } catch {
    return undefined
  }
}

/** Its own time and that of children which have ended and been waited for. Nothing when it ended while we looked. */
function readStat(pid: number): Stat[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the name, in parentheses, and may hold spaces: count from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0)
    return [{ pid, parent: Number(fields[1]), seconds: ticks / ticksPerSecond }]
  } catch {
    return []
  }
}

import { readdirSync, readFileSync } from 'node:fs'

/** What `/proc` counts in; the same on every Linux that Node runs on. */
const ticksPerSecond = 100

/**
 * The processor time that a process and its children have used so far, in seconds. Without `/proc`, as on macOS, it is
 * unknown.
 */
export function cpuSeconds(pid: number): number | undefined {
  const stats = readStats()
  if (!stats) return undefined
  const sum = (id: number): number => {
    const children = [...stats].filter(([, stat]) => stat.parent === id)
    return children.reduce((seconds, [child]) => seconds + sum(child), stats.get(id)?.seconds ?? 0)
  }
  return sum(pid)
}

function readStats(): Map<number, { parent: number; seconds: number }> | undefined {
  try {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    return new Map(pids.flatMap((pid) => readStat(Number(pid))))
  } catch {
    return undefined
  }
}

/** Its own time and that of children which have ended and been waited for. Nothing when it ended while we looked. */
function readStat(pid: number): [number, { parent: number; seconds: number }][] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the name, in parentheses, and may hold spaces: count from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0)
    return [[pid, { parent: Number(fields[1]), seconds: ticks / ticksPerSecond }]]
  } catch {
    return []
  }
}

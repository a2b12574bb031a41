import { residentMb } from '../memory.ts'

/** MiB by process, so many seconds after the beginning. */
export type MemorySample = { second: number; mb: Record<string, number> }

/** Looks once a second what the processes have in memory. */
export function watchMemory(pids: Record<string, number>): { stop(): MemorySample[] } {
  const samples: MemorySample[] = []
  const startedMs = performance.now()
  const look = (): void => {
    const mb = Object.entries(pids).map(([name, pid]) => [name, residentMb(pid) ?? 0])
    samples.push({ second: Math.round((performance.now() - startedMs) / 1_000), mb: Object.fromEntries(mb) })
  }
  look()
  const timer = setInterval(look, 1_000)
  return {
    stop() {
      clearInterval(timer)
      return samples
    },
  }
}

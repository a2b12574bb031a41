import type postgres from 'postgres'
import type { Run } from './figures.ts'
import { cpuSeconds, residentMb, sharedMb } from './processes.ts'
import type { Watched } from './stage.ts'

type Costs = Pick<Run, 'cpuMicroseconds' | 'walBytes' | 'memoryMb'>

/** What has been used up by a moment. */
type Meters = { cpuSeconds: Record<string, number>; walBytes: number }

export type CostMeter = {
  /** From now on it counts. Called again, from now on anew. */
  begin(): void
  /**
   * @param count of what the costs are told for
   * @param clientCpuSeconds the client tells its own: it may have ended
   */
  end(count: number, clientCpuSeconds: number): Promise<Costs>
}

/** What the processes of a stage use up between two moments. */
export function meterCosts({ sql, watched }: { sql: postgres.Sql; watched: Watched[] }): CostMeter {
  let began: Promise<Meters> | undefined
  return {
    begin() {
      began = read(sql, watched)
    },
    async end(count, clientCpuSeconds) {
      const [before, after] = await Promise.all([began, read(sql, watched)])
      if (before === undefined) throw new Error('what was used up before the measured time is not known')
      const used = Object.entries(after.cpuSeconds).flatMap(([name, seconds]) => {
        const started = before.cpuSeconds[name]
        return started === undefined ? [] : [[name, seconds - started] as const]
      })
      const cpu = used.length === 0 ? [] : [...used, ['client', clientCpuSeconds] as const]
      return {
        cpuMicroseconds: Object.fromEntries(cpu.map(([name, seconds]) => [name, (seconds * 1e6) / count])),
        walBytes: (after.walBytes - before.walBytes) / count,
        memoryMb: totals(watched, (server) => memoryOf(server)),
      }
    },
  }
}

async function read(sql: postgres.Sql, watched: Watched[]): Promise<Meters> {
  const seconds = totals(watched, (server) => cpuSeconds(server.process().pid))
  const [wal] = await sql<{ bytes: string }[]>`select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as bytes`
  return { cpuSeconds: seconds, walBytes: Number(wal?.bytes) }
}

/** Postgres is many processes that share their buffers. */
function memoryOf({ name, process }: Watched): number | undefined {
  return name === 'postgres' ? sharedMb(process().pid) : residentMb(process().pid)
}

function totals(watched: Watched[], value: (server: Watched) => number | undefined): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const server of watched) {
    const own = value(server)
    if (own !== undefined) sums[server.name] = (sums[server.name] ?? 0) + own
  }
  return sums
}

import type { StreamInfo } from '@nats-io/jetstream'
import { residentMb, sharedMb } from '../memory.ts'
import { cpuSeconds, treeOf } from './cpu.ts'
import type { Run } from './figures.ts'
import type { Stage, Watched } from './stage.ts'

/** Where costs are read. */
export type Metered = Pick<Stage, 'sql' | 'streams' | 'watched'>

type Costs = Pick<Run, 'cpuMicroseconds' | 'walBytes' | 'storedMessages' | 'storedBytes' | 'memoryMb'>

/** What has been used up by a moment. */
type Meters = { cpuSeconds: Record<string, number>; walBytes: number; streams: StreamMeter[] }

/** What a stream took in its life, and the bytes that it has, of which the taken ones may have gone again. */
type StreamMeter = { name: string; taken: number; bytesEach: number }

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
export function meterCosts(stage: Metered): CostMeter {
  const { watched } = stage
  let began: Promise<Meters> | undefined
  return {
    begin() {
      began = read(stage)
    },
    async end(count, clientCpuSeconds) {
      const [before, after] = await Promise.all([began, read(stage)])
      if (before === undefined) throw new Error('what was used up before the measured time is not known')
      const used = Object.entries(after.cpuSeconds).flatMap(([name, seconds]) => {
        const started = before.cpuSeconds[name]
        return started === undefined ? [] : [[name, seconds - started] as const]
      })
      const cpu = used.length === 0 ? [] : [...used, ['client', clientCpuSeconds] as const]
      const stored = storedBetween(before, after)
      return {
        cpuMicroseconds: Object.fromEntries(cpu.map(([name, seconds]) => [name, (seconds * 1e6) / count])),
        walBytes: (after.walBytes - before.walBytes) / count,
        storedMessages: stored.reduce((sum, { messages }) => sum + messages, 0) / count,
        storedBytes: stored.reduce((sum, { bytes }) => sum + bytes, 0) / count,
        memoryMb: totals(watched, (server) => memoryOf(server)),
      }
    },
  }
}

async function read({ sql, streams, watched }: Metered): Promise<Meters> {
  const seconds = totals(watched, (server) => cpuSeconds(server.process().pid))
  const [wal] = await sql<{ bytes: string }[]>`select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as bytes`
  const infos = await streams.list().next()
  return { cpuSeconds: seconds, walBytes: Number(wal?.bytes), streams: infos.map(meterOf) }
}

function meterOf({ config: { name }, state: { last_seq, messages, bytes } }: StreamInfo): StreamMeter {
  return { name, taken: last_seq, bytesEach: messages === 0 ? 0 : bytes / messages }
}

function storedBetween(before: Meters, after: Meters): { messages: number; bytes: number }[] {
  return after.streams.map(({ name, taken, bytesEach }) => {
    const messages = taken - (before.streams.find((stream) => stream.name === name)?.taken ?? 0)
    return { messages, bytes: messages * bytesEach }
  })
}

/** Postgres is many processes that share their buffers. */
function memoryOf({ name, process }: Watched): number | undefined {
  const { pid } = process()
  return name === 'postgres' ? sharedMb(treeOf(pid) ?? []) : residentMb(pid)
}

function totals(watched: Watched[], value: (server: Watched) => number | undefined): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const server of watched) {
    const own = value(server)
    if (own !== undefined) sums[server.name] = (sums[server.name] ?? 0) + own
  }
  return sums
}

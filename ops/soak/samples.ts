import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import postgres from 'postgres'
import { cpuSeconds } from '../bench/cpu.ts'
import { residentMb } from '../memory.ts'
import type { Daemon } from '../sandbox/daemon.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'

/** How everything stands at one moment. Sizes are in MiB. */
export type Sample = {
  /** Since the beginning. */
  seconds: number
  daemonMb: number
  heapUsedMb: number
  /** What buffers take outside of the heap. */
  externalMb: number
  natsMb: number
  /** The 99th percentile since the daemon's last look at it. */
  eventLoopLagMs: number
  listeners: number
  /** How many messages each stream has. */
  streams: Record<string, number>
  /** With its indexes. */
  tablesMb: Record<string, number>
  /** CPU seconds so far. */
  cpu: Record<'daemon' | 'nats' | 'postgres', number>
}

const mb = 1_024 * 1_024

export async function openSampler(sandbox: Sandbox, daemon: Daemon) {
  const sql = postgres(sandbox.postgres.url, { max: 1, onnotice: () => {} })
  const connection = await connect({ servers: sandbox.nats.url })
  const manager = await jetstreamManager(connection)
  const startedMs = performance.now()
  const cpuOf = (server: { process(): { pid: number } }): number => cpuSeconds(server.process().pid) ?? 0

  return {
    async look(): Promise<Sample> {
      const metrics = await (await fetch(`${daemon.url}/metrics`)).text()
      const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1] ?? 0)
      const streams = await manager.streams.list().next()
      const tables = await sql<{ name: string; bytes: number }[]>`
        select relname as name, pg_total_relation_size(oid)::float as bytes from pg_class
        where relkind = 'r' and relnamespace = 'public'::regnamespace order by relname`
      return {
        seconds: (performance.now() - startedMs) / 1_000,
        daemonMb: value('process_resident_memory_bytes') / mb,
        heapUsedMb: value('nodejs_heap_size_used_bytes') / mb,
        externalMb: value('nodejs_external_memory_bytes') / mb,
        natsMb: residentMb(sandbox.nats.process().pid) ?? 0,
        eventLoopLagMs: value('nodejs_eventloop_lag_p99_seconds') * 1_000,
        listeners: value('turnstile_listeners'),
        streams: Object.fromEntries(streams.map(({ config, state }) => [config.name, state.messages])),
        tablesMb: Object.fromEntries(tables.map(({ name, bytes }) => [name, bytes / mb])),
        cpu: { daemon: cpuOf(daemon), nats: cpuOf(sandbox.nats), postgres: cpuOf(sandbox.postgres) },
      }
    },
    async close() {
      await sql.end()
      await connection.close()
    },
  }
}

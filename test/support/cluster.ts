import postgres from 'postgres'
import { type Daemon, startDaemon } from '../../ops/sandbox/daemon.ts'
import { type Sandbox, type SandboxOptions, startSandbox } from '../../ops/sandbox/sandbox.ts'
import { defaultPartitions } from '../../src/config.ts'

/** Real servers of a test's own, and as many daemons on them as it wants. */
export type Cluster = Sandbox & {
  /** For looking at the record, and for breaking connections. */
  sql: postgres.Sql
  /**
   * @param roles all of them unless told otherwise
   * @param settings on top of where the servers are
   */
  addDaemon(roles?: string, settings?: Record<string, string>): Promise<Daemon>
}

export async function startCluster(options: SandboxOptions = {}): Promise<Cluster> {
  const sandbox = await startSandbox(options)
  const daemons: Daemon[] = []
  const sql = postgres(sandbox.postgres.url, { max: 1, onnotice: () => {}, connection: { application_name: 'test' } })
  return {
    ...sandbox,
    sql,
    async addDaemon(roles, settings = {}) {
      // Only the first listens where the simulated services call back; the others find a port of their own.
      const { PORT, ...shared } = sandbox.env
      const env = { ...shared, ...settings, ...(daemons.length === 0 && { PORT }) }
      const daemon = await startDaemon({ env, roles })
      daemons.push(daemon)
      return daemon
    },
    async stop() {
      for (const daemon of daemons) await daemon.stop()
      await sql.end({ timeout: 1 })
      await sandbox.stop()
    },
  }
}

/** The share of each of two workers. */
export const half = defaultPartitions / 2
/** What `shares` are then, joined. */
export const halves = `${half},${half}`

/** How many partitions each live worker owns, most first. */
export async function shares(sql: postgres.Sql): Promise<number[]> {
  const rows = await sql<{ count: number }[]>`
    select count(*)::int from partition join worker on worker.id = partition.owner
    where worker.lease_until > now() group by owner order by count desc`
  return rows.map(({ count }) => count)
}

import { jetstreamManager, type StreamAPI } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import postgres from 'postgres'
import { compiled, type Daemon, startDaemon } from '../sandbox/daemon.ts'
import type { RunningProcess } from '../sandbox/process.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'

/** Servers of a workload's own, the processes whose costs are counted, and connections for looking at what is stored. */
export type Stage = Sandbox & {
  sql: postgres.Sql
  streams: StreamAPI
  /** By the name under which their costs are told; those of one name are added up. */
  watched: Watched[]
  /** @param settings on top of where the servers are */
  addDaemon(name: string, roles: string, settings?: Record<string, string>): Promise<Daemon>
}

export type Watched = { name: string; process(): Pick<RunningProcess, 'pid'> }

/**
 * Starts the servers, lets `work` use them, and stops them.
 *
 * @param nodeArgs for the daemons, such as a profiler's switch
 */
export async function onStage<T>(nodeArgs: string[], work: (stage: Stage) => Promise<T>): Promise<T> {
  const sandbox = await startSandbox()
  const sql = postgres(sandbox.postgres.url, {
    max: 1,
    onnotice: () => {},
    connection: { application_name: 'turnstile bench' },
  })
  await wearIn(sql)
  const connection = await connect({ servers: sandbox.nats.url })
  const { streams } = await jetstreamManager(connection)
  const daemons: Daemon[] = []
  const stage: Stage = {
    ...sandbox,
    sql,
    streams,
    watched: [
      { name: 'postgres', process: sandbox.postgres.process },
      { name: 'nats', process: sandbox.nats.process },
    ],
    async addDaemon(name, roles, settings = {}) {
      const { PORT: _, ...servers } = sandbox.env
      const daemon = await startDaemon({
        program: compiled,
        roles,
        nodeArgs,
        env: { ...servers, LOG_LEVEL: 'warn', ...settings },
      })
      const watched = { name, process: daemon.process }
      daemons.push(daemon)
      stage.watched.push(watched)
      return {
        ...daemon,
        async stop() {
          daemons.splice(daemons.indexOf(daemon), 1)
          stage.watched.splice(stage.watched.indexOf(watched), 1)
          await daemon.stop()
        },
      }
    },
  }
  try {
    return await work(stage)
  } finally {
    for (const daemon of daemons) await daemon.stop()
    await connection.close()
    await sql.end({ timeout: 1 })
    await sandbox.stop()
  }
}

/** Of the log, 16 MB each: what bookings write in a minute. */
const segments = 60

/**
 * A Postgres that has been up for a while writes its log into segments that it has used before. One that has just been made has to make
 * each of them first, for 20 ms and more in which nobody's commit comes to an end: in a rush every other second.
 */
async function wearIn(sql: postgres.Sql): Promise<void> {
  await sql`alter system set min_wal_size = '1GB'`
  await sql`select pg_reload_conf()`
  for (let i = 0; i < segments; i++) {
    await sql`select pg_logical_emit_message(true, '', '')`
    await sql`select pg_switch_wal()`
  }
  await sql`checkpoint`
}

/** Where a server listens. */
export const portOf = ({ url }: { url: string }): number => Number(new URL(url).port)

import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { createDatabase } from '../../test/support/database.ts'
import { openStore, type PostgresStore, prepareDatabase } from './postgres.ts'

/** A database with four partitions, a hand of its own in it, and the stores that a test opens. */
export async function openDatabase() {
  const database = await createDatabase()
  await prepareDatabase(database.url, 4)
  const sql = postgres(database.url, { max: 1, fetch_types: false, onnotice: () => {} })
  // Inside a transaction, pg_stat_activity stays as it was at first sight.
  const watcher = postgres(database.url, { max: 1, fetch_types: false })
  const stores: PostgresStore[] = []
  return {
    url: database.url,
    sql,
    open: async (options: { url?: string; deadlineMs?: number } = {}) => {
      const store = await openStore({ url: database.url, applicationName: 'test', ...options })
      stores.push(store)
      return store
    },
    reset: async () => {
      await sql`truncate partition, worker, turn, actor, dead_letter, request_key, pause, broker_stream, redrive, projection, tickets, shows, bookings, ops_bookings, archive_file`
      await sql`insert into partition (id) select generate_series(0, 3)`
    },
    /** Resolves when so many of the store's statements wait for a lock. */
    untilBlocked: (count: number) =>
      until(async () => {
        const [row] = await watcher<{ blocked: string }[]>`
          select count(*) as blocked from pg_stat_activity
          where application_name like 'test %' and datname = current_database() and wait_event_type = 'Lock'`
        return Number(row?.blocked) >= count
      }),
    close: async () => {
      await Promise.all(stores.map((store) => store.close()))
      await Promise.all([sql.end(), watcher.end()])
      await database.drop()
    },
  }
}

export type OpenDatabase = Awaited<ReturnType<typeof openDatabase>>

export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`still not so after 10 s: ${holds}`)
    await sleep(5)
  }
}

/** A way to the database that can go silent: connections stay up, and nothing comes through, or no answer. */
export async function startProxy(target: string) {
  const { hostname, port } = new URL(target)
  const pairs: [net.Socket, net.Socket][] = []
  let isSilent = false
  const server = net.createServer((client) => {
    const upstream = net.connect(Number(port), hostname)
    pairs.push([client, upstream])
    if (isSilent) return
    client.pipe(upstream).pipe(client)
    client.on('error', () => upstream.destroy())
    upstream.on('error', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(target)
  url.port = String((server.address() as net.AddressInfo).port)
  return {
    url: url.href,
    connections: () => pairs.length,
    silence: (what: 'both' | 'answers') => {
      isSilent = true
      for (const [client, upstream] of pairs) {
        if (what === 'both') client.unpipe(upstream)
        upstream.unpipe(client)
      }
    },
    /** New connections get through again. */
    restore: () => {
      isSilent = false
    },
    close: async () => {
      for (const socket of pairs.flat()) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

import { jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import type postgres from 'postgres'

/**
 * Every table with a row that has this text in some column, in any case; bytes are looked through too.
 *
 * @param but a text around it that does not count
 */
export async function tablesWith(sql: postgres.Sql, text: string, but = ''): Promise<string[]> {
  const tables = await sql<{ name: string }[]>`
    select relname as name from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')`
  const wanted = [
    text.toLowerCase(),
    Buffer.from(text).toString('hex'),
    Buffer.from(text.toLowerCase()).toString('hex'),
  ]
  const found: string[] = []
  for (const { name } of tables) {
    const [row] = await sql<{ rows: number }[]>`
      select count(*)::int as rows from ${sql(name)} as it
      where ${wanted.map((one, index) => sql`${index > 0 ? sql`or` : sql``} position(${one} in replace(lower(it::text), ${but.toLowerCase()}, '')) > 0`)}`
    if (row && row.rows > 0) found.push(`${row.rows} of ${name}`)
  }
  return found
}

/** Every message in a stream that has this text in it, as above. */
export async function messagesWith(nats: NatsConnection, text: string, but = ''): Promise<string[]> {
  const manager = await jetstreamManager(nats)
  const found: string[] = []
  for await (const { config, state } of manager.streams.list()) {
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const message = await manager.streams.getMessage(config.name, { seq })
      const content = message
        ?.string()
        .toLowerCase()
        .replaceAll(but.toLowerCase() || '\0', '')
      if (message && content?.includes(text.toLowerCase())) found.push(message.subject)
    }
  }
  return found
}

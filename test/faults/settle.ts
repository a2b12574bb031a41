import { connect } from '@nats-io/transport-node'
import { publishedIds, underWay } from '../support/settled.ts'
import { until } from '../support/wait.ts'
import type { House } from './house.ts'

/** The deadlines of bookings and bundles, and the pauses between attempts that have failed often. */
const patienceMs = 240_000

/** Waits until nobody waits for anything any more. @returns what was still under way when patience was over */
export async function settle({ sql, nats }: House, heard: ReadonlySet<string>): Promise<string[]> {
  const connection = await connect({ servers: nats.url })
  let open: object | undefined
  const isSettled = async (): Promise<boolean> => {
    const [row] = await sql<{ alarms: number; redrives: number; lag: number }[]>`
      select (select sum(armed)::int from partition) as alarms, (select count(up_to)::int from redrive) as redrives,
        (select sum(head - position)::int from projection join partition on partition.id = projection.partition) as lag`
    const { alarms = 0, redrives = 0, lag = 0 } = row ?? {}
    open = alarms + redrives + lag > 0 ? { alarms, redrives, lag } : await underWay(sql, connection)
    if (open) return false
    const unheard = (await publishedIds(sql)).filter((id) => !heard.has(id)).length
    open = unheard > 0 ? { unheard } : undefined
    return unheard === 0
  }
  try {
    await until('everything has come to its end', isSettled, patienceMs)
    return []
  } catch (error) {
    return [`${error}: ${JSON.stringify(open)}`]
  } finally {
    await connection.close()
  }
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { runClient } from '../client.ts'
import { meterCosts } from '../costs.ts'
import type { Run } from '../figures.ts'
import { startHelper } from '../helper.ts'
import { bookTickets, createShows, forEachOf } from '../shows.ts'
import { onStage, portOf, type Stage } from '../stage.ts'
import { countTurns, untilTurns } from '../turns.ts'
import type { WebhookLoadOptions, WebhookLoadResult } from '../webhook-load.ts'
import { manySeats, type Workload } from '../workload.ts'

const ticketsABooking = 4
const connections = 32

/** Of a ticket: that it is confirmed, has its receipt, its print and its row; and of its booking: that it is confirmed. */
const turnsATicket = 5

/** More than the daemon can make: the services are not what is measured. */
const callsPerSecond = '100000'

/**
 * Tickets of bookings, from the webhook that confirms them to the end of all their effects. It counts from the first call until
 * the last effect's outcome has had its turn.
 */
export const life: Workload = {
  names: ['life'],
  run: ({ size, nodeArgs, progress }) =>
    onStage(nodeArgs, async (stage) => {
      const services = await startHelper('the services', 'cheap-services.ts')
      try {
        const settings = { GATEWAY_ADDR: services.url, TURNSTILE_CALLS_PER_SECOND: callsPerSecond }
        const { url } = await stage.addDaemon('daemon', 'ingress,worker,effects,projector', settings)
        const shows = await createShows(url, { shows: 200, seats: manySeats })
        const runs: Run[] = []
        for (let round = 1; round <= size.rounds; round++) {
          progress(`life, round ${round} of ${size.rounds}: ${size.bookingsOfLife * ticketsABooking} tickets`)
          const bookings = await book(stage, url, shows, size.bookingsOfLife)
          runs.push(await confirm(stage, url, bookings))
        }
        return runs
      } finally {
        await services.stop()
      }
    }),
}

/** Made, and accepted by Dead Nation: nothing of them is still to come when the tickets are confirmed. */
async function book({ sql }: Stage, url: string, shows: string[], count: number): Promise<string[]> {
  const turnsABooking = 4
  const before = await countTurns(sql)
  const wanted = Array.from({ length: count }, (_, index) => shows[index % shows.length])
  const bookings = await forEachOf(wanted, (show_id) =>
    bookTickets(url, { show_id, number_of_tickets: ticketsABooking, customer_email: 'kate@example.com' }),
  )
  await untilTurns(sql, before + count * turnsABooking)
  return bookings
}

async function confirm(stage: Stage, url: string, bookings: string[]): Promise<Run> {
  const { sql } = stage
  const tickets = bookings.length * ticketsABooking
  const before = await countTurns(sql)
  const meter = meterCosts(stage)
  let beganMs = 0
  const { others, cpuSeconds, count, ...latency } = await postAll(
    { port: portOf({ url }), connections, bookings, ticketsABooking },
    () => {
      beganMs = performance.now()
      meter.begin()
    },
  )
  if (count < bookings.length) throw new Error(`only ${count} of ${bookings.length} calls were answered with 200`)
  await untilTurns(sql, before + tickets * turnsATicket)
  const seconds = (performance.now() - beganMs) / 1_000
  const costs = await meter.end(tickets, cpuSeconds)
  await requireComplete(stage)
  const what = { workload: 'life', subject: 'turnstile', condition: 'confirmed', unit: 'tickets' } as const
  return { ...what, perSecond: tickets / seconds, latency, ...costs, others, more: {} }
}

/** Thousands of ids are too long for an argument. */
async function postAll(options: WebhookLoadOptions, onBegin: () => void): Promise<WebhookLoadResult> {
  const folder = mkdtempSync(path.join(tmpdir(), 'webhooks-'))
  try {
    const file = path.join(folder, 'options.json')
    writeFileSync(file, JSON.stringify(options))
    return await runClient<string, WebhookLoadResult>('webhook-load.ts', file, onBegin)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** What was counted as turns must have been the tickets' receipts, prints and rows. */
async function requireComplete({ sql }: Stage): Promise<void> {
  const [row] = await sql<{ tickets: number; complete: number }[]>`
    select count(*)::int as tickets, count(*) filter (
      where state ->> 'receipt' is not null and state ->> 'file_name' is not null and json_array_length(state -> 'rows') = 1
    )::int as complete
    from actor where kind = 'ticket'`
  if (row === undefined || row.tickets === 0 || row.tickets !== row.complete) {
    throw new Error(`${row?.complete} of ${row?.tickets} tickets are complete`)
  }
}

import { runClient } from '../client.ts'
import type { CommandLoadOptions, CommandLoadResult } from '../command-load.ts'
import { meterCosts } from '../costs.ts'
import type { Run } from '../figures.ts'
import { bookTickets, createShows, forEachOf } from '../shows.ts'
import { onStage, type Stage } from '../stage.ts'
import { countTurns, untilTurns } from '../turns.ts'
import { manySeats, type Workload } from '../workload.ts'

const showCount = 1_000

/** How many commands may be on their way to the broker at once. */
const window = 1_000

/**
 * Commands of one turn each that an outside client publishes on NATS: seats are given back, one at a time. It counts from the
 * first one published until the last one has had its turn.
 */
export const commands: Workload = {
  names: ['commands'],
  run: ({ size, nodeArgs, progress }) =>
    onStage(nodeArgs, async (stage) => {
      const { url } = await stage.addDaemon('daemon', 'ingress,worker,projector')
      const shows = await createShows(url, { shows: showCount, seats: manySeats })
      const runs: Run[] = []
      for (let round = 1; round <= size.rounds; round++) {
        progress(`commands, round ${round} of ${size.rounds}: ${size.commands.toLocaleString('en')}`)
        await takeSeats(url, shows, Math.ceil(size.commands / showCount))
        runs.push(await runCommands(stage, shows, size.commands))
      }
      return runs
    }),
}

async function runCommands(stage: Stage, shows: string[], count: number): Promise<Run> {
  const { sql } = stage
  const before = await countTurns(sql)
  const meter = meterCosts(stage)
  let beganMs = 0
  const { refused, cpuSeconds } = await runClient<CommandLoadOptions, CommandLoadResult>(
    'command-load.ts',
    { server: stage.nats.url, shows, commands: count, window },
    () => {
      beganMs = performance.now()
      meter.begin()
    },
  )
  const all = count - Object.values(refused).reduce((sum, times) => sum + times, 0)
  await untilTurns(sql, before + all)
  const seconds = (performance.now() - beganMs) / 1_000
  const costs = await meter.end(all, cpuSeconds)
  const what = { workload: 'commands', subject: 'turnstile', condition: 'ReleaseSeats', unit: 'turns' } as const
  return { ...what, perSecond: all / seconds, ...costs, others: refused, more: {} }
}

/** The most that one booking may have. */
const seatsABooking = 1_000

/** Books so many seats of each show, for somebody to give back. */
async function takeSeats(url: string, shows: string[], seats: number): Promise<void> {
  const bookings = shows.flatMap((show_id) => Array.from({ length: Math.ceil(seats / seatsABooking) }, () => show_id))
  await forEachOf(bookings, (show_id) =>
    bookTickets(url, { show_id, number_of_tickets: seatsABooking, customer_email: 'kate@example.com' }),
  )
}

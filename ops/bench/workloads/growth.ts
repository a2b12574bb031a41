import { setTimeout as sleep } from 'node:timers/promises'
import type { Daemon } from '../../sandbox/daemon.ts'
import { runBookings } from '../booking-run.ts'
import type { Run } from '../figures.ts'
import { fillTables } from '../fill.ts'
import { bookTickets, createShows } from '../shows.ts'
import { onStage, type Stage } from '../stage.ts'
import { manySeats, type Workload } from '../workload.ts'

const roles = 'ingress,worker,projector'

type Place = { condition: string; stage: Stage; daemon: Daemon; startMs: number; shows: string[] }

/** Empty tables and full ones side by side: whether what is stored makes a booking dearer, or a start longer. */
export const growth: Workload = {
  names: ['growth'],
  run: ({ size, nodeArgs, progress }) =>
    onStage(nodeArgs, (emptyStage) =>
      onStage(nodeArgs, async (fullStage) => {
        const millions = (count: number): string => `${count / 1e6} million`
        progress(`growth: filling the tables with ${millions(size.turns)} turns of ${millions(size.actors)} actors`)
        await fill(fullStage, size)
        const places = [await open('empty', emptyStage), await open('full', fullStage)]
        const { seconds, warmUpSeconds } = size
        const runs: Run[] = []
        for (let round = 1; round <= size.rounds; round++) {
          for (const { condition, stage, daemon, startMs, shows } of places) {
            progress(`growth, round ${round} of ${size.rounds}: ${condition}`)
            const load = { connections: 64, shows, seconds, warmUpSeconds }
            const what = { workload: 'growth', subject: 'turnstile', condition } as const
            const run = await runBookings(stage, { ...what, url: daemon.url, load })
            const stored = condition === 'full' ? { turns: size.turns, actors: size.actors } : { turns: 0, actors: 0 }
            runs.push({ ...run, more: { startMs, ...stored } })
          }
        }
        return runs
      }),
    ),
}

/** The tables are those of a daemon, and what fills them is made of a booking that it has taken. */
async function fill(stage: Stage, size: { turns: number; actors: number }): Promise<void> {
  const daemon = await stage.addDaemon('daemon', roles)
  const [show_id] = await createShows(daemon.url, { shows: 1, seats: manySeats })
  await bookTickets(daemon.url, { show_id, number_of_tickets: 1, customer_email: 'kate@example.com' })
  const isInReadModels = async (): Promise<boolean> => {
    const [row] = await stage.sql`select from bookings join ops_bookings using (id)`
    return row !== undefined
  }
  while (!(await isInReadModels())) await sleep(20)
  await daemon.stop()
  await fillTables(stage.sql, size)
}

/** On tables that have been there before: what a daemon does for the first time only is no part of its start. */
async function open(condition: string, stage: Stage): Promise<Place> {
  if (condition === 'empty') await (await stage.addDaemon('daemon', roles)).stop()
  const startedMs = performance.now()
  const daemon = await stage.addDaemon('daemon', roles)
  const startMs = performance.now() - startedMs
  const shows = await createShows(daemon.url, { shows: 200, seats: manySeats })
  return { condition, stage, daemon, startMs, shows }
}

import { setTimeout as sleep } from 'node:timers/promises'
import type postgres from 'postgres'
import type { Daemon } from '../../sandbox/daemon.ts'
import { runBookings } from '../booking-run.ts'
import type { Run } from '../figures.ts'
import { createShows } from '../shows.ts'
import { onStage, type Stage } from '../stage.ts'
import { manySeats, type Workload } from '../workload.ts'

const counts = [1, 2, 4]
/**
 * A new process costs two to three times as much until its code is compiled, which takes some thousand turns. Each of several
 * workers has a part of them only, and takes so much longer.
 */
const warmUpsAWorker = 2

/** What a booking costs when several workers share the partitions, and most of its sends go to another one. */
export const workers: Workload = {
  names: ['workers'],
  run: ({ size, nodeArgs, progress }) =>
    onStage(nodeArgs, async (stage) => {
      const daemons: Daemon[] = []
      // Without a worker there is no ready ingress. The first one makes the tables.
      daemons.push(await stage.addDaemon('workers', 'worker'))
      const { url } = await stage.addDaemon('ingress', 'ingress,projector')
      const shows = await createShows(url, { shows: 200, seats: manySeats })
      const { seconds, warmUpSeconds } = size
      const runs: Run[] = []
      for (let round = 1; round <= size.rounds; round++) {
        for (const count of counts) {
          await staff(stage, daemons, count)
          const load = { connections: 64, shows, seconds, warmUpSeconds: warmUpSeconds * warmUpsAWorker * count }
          progress(`workers, round ${round} of ${size.rounds}: ${count}`)
          const condition = `${count} ${count === 1 ? 'worker' : 'workers'}`
          runs.push(await runBookings(stage, { workload: 'workers', subject: 'turnstile', condition, url, load }))
        }
      }
      return runs
    }),
}

/** Starts or stops workers until there are so many, and waits until each has its share. */
async function staff(stage: Stage, daemons: Daemon[], count: number): Promise<void> {
  while (daemons.length < count) daemons.push(await stage.addDaemon('workers', 'worker'))
  for (const daemon of daemons.splice(count)) await daemon.stop()
  await untilShared(stage.sql, count)
}

async function untilShared(sql: postgres.Sql, workers: number): Promise<void> {
  for (;;) {
    const shares = await sql<{ count: number; all: number }[]>`
      select count(*)::int, (select count(*)::int from partition) as all
      from partition join worker on worker.id = partition.owner
      where worker.lease_until > now() group by owner`
    const isFair = shares.every(({ count, all }) => count === all / workers)
    if (shares.length === workers && isFair) return
    await sleep(20)
  }
}

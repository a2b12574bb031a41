import { runBookings } from '../booking-run.ts'
import type { Run } from '../figures.ts'
import { createShows } from '../shows.ts'
import { onStage } from '../stage.ts'
import { manySeats, type Workload } from '../workload.ts'
import { poolSizes, startYardstick, yardsticks } from '../yardsticks/start.ts'

/** The yardsticks with pools of several sizes, to find the best for each. */
export const pools: Workload = {
  names: ['pools'],
  isExtra: true,
  run: ({ size: { rounds, seconds, warmUpSeconds, connections }, nodeArgs, progress }) =>
    onStage(nodeArgs, async (stage) => {
      const runs: Run[] = []
      for (const subject of yardsticks) {
        const servers = await Promise.all(
          poolSizes.map(async (pool) => ({ pool, ...(await startYardstick(subject, stage.postgres.url, pool)) })),
        )
        for (let round = 1; round <= rounds; round++) {
          for (const { pool, url, process } of servers) {
            progress(`pools, ${subject}, round ${round} of ${rounds}: ${pool}`)
            const watched = [...stage.watched, { name: 'daemon', process }]
            for (const shows of [200, 1]) {
              for (const count of connections) {
                const condition = `pool of ${pool}, ${shows === 1 ? 'hot' : 'uniform'}, ${count} connections`
                const ids = await createShows(url, { shows, seats: manySeats })
                const load = { connections: count, shows: ids, seconds, warmUpSeconds }
                runs.push(
                  await runBookings({ ...stage, watched }, { workload: 'pools', subject, condition, url, load }),
                )
              }
            }
          }
        }
        for (const { stop } of servers) await stop()
      }
      return runs
    }),
}

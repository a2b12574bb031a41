import { residentMb } from '../../memory.ts'
import { runBookings } from '../booking-run.ts'
import { runClient } from '../client.ts'
import { meterCosts } from '../costs.ts'
import { median, type Run } from '../figures.ts'
import type { OpenLoadOptions, OpenLoadResult, Outcomes } from '../open-load.ts'
import { createShows } from '../shows.ts'
import { onStage, portOf, type Stage } from '../stage.ts'
import { manySeats, type Workload } from '../workload.ts'

/** Parts of what the daemon can do. The last is held for long: whatever grows without end is seen to grow. */
const shares = [0.25, 0.5, 0.75]
const longShare = 0.9

const maxConnections = 2_000
const patienceMs = 5_000

/** Bookings that arrive at a fixed rate, as people do; the latency of each counts from when it was meant to start. */
export const open: Workload = {
  names: ['open'],
  run: ({ size, nodeArgs, progress }) =>
    onStage(nodeArgs, async (stage) => {
      const { url } = await stage.addDaemon('daemon', 'ingress,worker,projector')
      const shows = await createShows(url, { shows: 200, seats: manySeats })
      const { seconds, warmUpSeconds } = size

      progress('open: what it can do at all')
      const closed: Run[] = []
      for (let round = 1; round <= size.rounds; round++) {
        const load = { connections: 64, shows, seconds: Math.ceil(seconds / 2), warmUpSeconds }
        closed.push(
          await runBookings(stage, { workload: 'open', subject: 'turnstile', condition: 'ceiling', url, load }),
        )
      }
      const ceiling = median(closed.map(({ perSecond }) => perSecond)) ?? 0
      const arrive = (share: number, seconds: number): Promise<Run> => {
        progress(`open: ${share * 100} % of ${Math.round(ceiling)} bookings/s for ${seconds} s`)
        const perSecond = Math.max(1, Math.round(ceiling * share))
        return runArrivals(stage, { url, shows, share, perSecond, seconds, warmUpSeconds })
      }
      const runs: Run[] = []
      for (let round = 1; round <= size.rounds; round++) {
        for (const share of shares) runs.push(await arrive(share, seconds))
      }
      runs.push(await arrive(longShare, size.longSeconds))
      return [...closed, ...runs]
    }),
}

type Arrivals = {
  url: string
  shows: string[]
  share: number
  perSecond: number
  seconds: number
  warmUpSeconds: number
}

async function runArrivals(
  stage: Stage,
  { url, shows, share, perSecond, seconds, warmUpSeconds }: Arrivals,
): Promise<Run> {
  const phases = [
    { perSecond, seconds: warmUpSeconds },
    { perSecond, seconds },
  ]
  const meter = meterCosts(stage)
  const memory = (): number => residentOf(stage, 'daemon')
  let beganMb = 0
  const result = await runClient<OpenLoadOptions, OpenLoadResult>(
    'open-load.ts',
    { port: portOf({ url }), shows, phases, maxConnections, patienceMs },
    // Once for each phase: the last one counts.
    () => {
      meter.begin()
      beganMb = memory()
    },
  )
  const { outcomes = {}, cpuSeconds = 0 } = result.phases[1] ?? {}
  const { 201: booked, ...rest } = outcomes
  const { count = 0, ...latency } = booked ?? {}
  const gainedMb = memory() - beganMb
  const costs = await meter.end(count, cpuSeconds)
  return {
    workload: 'open',
    subject: 'turnstile',
    condition: `${share * 100} %`,
    unit: 'bookings',
    perSecond: count / seconds,
    ...(booked && { latency: { ...booked, ...latency } }),
    ...costs,
    others: Object.fromEntries(Object.entries(rest).map(([outcome, { count }]) => [outcome, count])),
    more: { ...growthOf(result.seconds.slice(warmUpSeconds)), connections: result.connections, gainedMb },
  }
}

function residentOf({ watched }: Stage, name: string): number {
  const own = watched.filter((server) => server.name === name)
  return own.reduce((sum, { process }) => sum + (residentMb(process().pid) ?? 0), 0)
}

/** Medians of the first and the last sixth: a queue that grows makes the last much later than the first. */
function growthOf(seconds: Outcomes[]): Record<string, number> {
  const sixth = Math.ceil(seconds.length / 6)
  const middle = (part: Outcomes[]): number => median(part.flatMap((second) => second['201']?.p50Ms ?? [])) ?? 0
  return { firstMedianMs: middle(seconds.slice(0, sixth)), lastMedianMs: middle(seconds.slice(-sixth)) }
}

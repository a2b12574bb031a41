import { runClient } from '../client.ts'
import { meterCosts } from '../costs.ts'
import type { Latency, Run } from '../figures.ts'
import type { LoadOptions, LoadResult } from '../load.ts'
import { createShows } from '../shows.ts'
import { onStage, portOf, type Stage } from '../stage.ts'
import { manySeats, type Size, type Workload } from '../workload.ts'

const connections = 64
const roles = 'ingress,worker,projector'

export type Cell = { url: string; shows: string[] }

/** All in one database and one stream, or half of it each in two, with nothing between them: whether the halves cost the same. */
export const cells: Workload = {
  names: ['cells'],
  run: ({ size, nodeArgs, progress }) =>
    onStage(nodeArgs, async (stage) => {
      const all = [await openCell(stage, 'first'), await openCell(stage, 'second')]
      const runs: Run[] = []
      for (let round = 1; round <= size.rounds; round++) {
        for (const count of [1, 2]) {
          progress(`cells, round ${round} of ${size.rounds}: ${count}`)
          runs.push(await sell(stage, all.slice(0, count), size))
        }
      }
      return runs
    }),
}

/** @param settings of its daemon, besides where its data are */
export async function openCell(stage: Stage, name: string, settings: Record<string, string> = {}): Promise<Cell> {
  await stage.sql`create database ${stage.sql(name)}`
  const POSTGRES_URL = Object.assign(new URL(stage.postgres.url), { pathname: name }).href
  const { url } = await stage.addDaemon('daemon', roles, { ...settings, POSTGRES_URL, TURNSTILE_PREFIX: name })
  return { url, shows: await createShows(url, { shows: 200, seats: manySeats }) }
}

/** As many connections as ever, shared by the cells. */
async function sell(stage: Stage, cells: Cell[], { seconds, warmUpSeconds }: Size): Promise<Run> {
  const meter = meterCosts(stage)
  const results = await Promise.all(
    cells.map(({ url, shows }) => {
      const load = { port: portOf({ url }), connections: connections / cells.length, shows, seconds, warmUpSeconds }
      return runClient<LoadOptions, LoadResult>('load.ts', load, meter.begin)
    }),
  )
  const sum = (value: (result: LoadResult) => number): number =>
    results.reduce((total, result) => total + value(result), 0)
  const worst = (name: keyof Latency): number => Math.max(...results.map((result) => result[name]))
  return {
    workload: 'cells',
    subject: 'turnstile',
    condition: cells.length === 1 ? '1 cell' : `${cells.length} cells`,
    unit: 'bookings',
    perSecond: sum(({ booked, seconds }) => booked / seconds),
    latency: { p50Ms: worst('p50Ms'), p99Ms: worst('p99Ms'), p999Ms: worst('p999Ms'), maxMs: worst('maxMs') },
    ...(await meter.end(
      sum(({ booked }) => booked),
      sum(({ cpuSeconds }) => cpuSeconds),
    )),
    others: Object.assign({}, ...results.map(({ others }) => others)),
    more: {},
  }
}

import { type Figures, medianOf, perSecond, type Run, runsOf, serverMicroseconds } from '../figures.ts'
import { assumptions, type Costs, hotShowPerSecond, measuredCosts, modelCosts, needsOf } from '../scale/model.ts'
import { type QueueOptions, simulateQueues } from '../scale/queue.ts'
import { about, figure, markdownTable } from './blocks.ts'

const rates = [10_000, 100_000, 1_000_000]
/** So many that hardly anything stays on one worker. */
const many = 1_000

/** What docs/scale.md says of a run. Without the workload `workers` it says nothing new. */
export function scaleBlocks(figures: Figures): Map<string, string> {
  const [one, two, four] = [1, 2, 4].map((workers) => measuredCosts(figures, workers))
  const blocks = new Map<string, string>()
  if (one && two && four) {
    const atScale = modelCosts(one, four, 4, many)
    blocks.set('costs', costsTable(one, two, four, atScale))
    blocks.set('check', checkTable(two, modelCosts(one, four, 4, 2)))
    blocks.set('needs', needsTable(atScale))
  }
  if (runsOf(figures, { workload: 'cells' }).length > 0) blocks.set('cells', cellsTable(figures))
  const aTurn = medianOf(figures, { workload: 'commands' }, ({ cpuMicroseconds }) => cpuMicroseconds.daemon)
  if (aTurn !== undefined) blocks.set('hot', hotTable(aTurn))
  const ceiling = medianOf(figures, { workload: 'open', condition: 'ceiling' }, perSecond)
  if (ceiling !== undefined) blocks.set('queue-check', queueCheck(figures, ceiling))
  if (aTurn !== undefined) blocks.set('queue', queueTable(aTurn))
  return blocks
}

const names: Record<keyof Costs, string> = {
  ingress: 'CPU of ingress (and projector), µs',
  workers: 'CPU of workers, µs',
  postgres: 'CPU of Postgres, µs',
  nats: 'CPU of nats-server, µs',
  walBytes: 'WAL, bytes',
  storedMessages: 'messages stored by NATS',
  storedBytes: 'bytes stored by NATS',
}

function costsTable(one: Costs, two: Costs, four: Costs, atScale: Costs): string {
  const rows = Object.entries(names).map(([name, words]) => {
    return [words, ...[one, two, four, atScale].map((costs) => figure(costs[name as keyof Costs]))]
  })
  return markdownTable(['a booking costs', '1 worker', '2', '4', 'many, by the model'], rows)
}

function checkTable(measured: Costs, modelled: Costs): string {
  const rows = Object.entries(names).map(([key, words]) => {
    const name = key as keyof Costs
    const off = Math.round((modelled[name] / measured[name] - 1) * 100)
    return [words, figure(measured[name]), figure(modelled[name]), `${off} %`]
  })
  return markdownTable(['with 2 workers', 'measured', 'by the model', 'off by'], rows)
}

function cellsTable(figures: Figures): string {
  const rows = ['1 cell', '2 cells'].map((condition) => {
    const of = (value: (run: Run) => number | undefined) =>
      figure(medianOf(figures, { workload: 'cells', condition }, value))
    return [
      condition,
      of(perSecond),
      of(serverMicroseconds),
      of((run) => run.cpuMicroseconds.postgres),
      of((run) => run.walBytes),
    ]
  })
  return markdownTable(['', 'bookings/s', 'CPU of all servers, µs a booking', 'of Postgres', 'WAL, bytes'], rows)
}

function needsTable(costs: Costs): string {
  const needs = rates.map((rate) => needsOf(rate, costs))
  const row = (name: string, value: (of: (typeof needs)[number]) => string): string[] => [name, ...needs.map(value)]
  return markdownTable(
    ['', ...rates.map((rate) => `${figure(rate)} bookings/s`)],
    [
      row('ingress pods', ({ ingressPods }) => figure(ingressPods)),
      row('worker pods', ({ workerPods }) => figure(workerPods)),
      row('partitions, of all cells', ({ partitions }) => figure(partitions)),
      row(`Postgres servers of ${assumptions.postgresCores} cores`, (of) => figure(of.postgresServers)),
      row(`NATS nodes of ${assumptions.natsCores} cores`, ({ natsNodes }) => figure(natsNodes)),
      row('cells', ({ cells }) => figure(cells)),
      row('the next cell is for', ({ bound }) => bound),
      row('WAL, MB/s', (of) => figure(of.walMegabytesPerSecond)),
      row('written by NATS, MB/s', (of) => figure(of.storedMegabytesPerSecond)),
    ],
  )
}

function hotTable(aTurn: number): string {
  const one = hotShowPerSecond(aTurn)
  return markdownTable(
    ['a hot show sold as', 'bookings/s'],
    [1, 4, 16].map((sections) => [
      sections === 1 ? 'one' : `${sections} sections, each a show of its own`,
      about(one * sections),
    ]),
  )
}

const queue: Omit<QueueOptions, 'workers' | 'perSecond' | 'turnMs' | 'skew' | 'shows'> = {
  seed: 1,
  partitions: 256,
  seconds: 5,
  batchMessages: 256,
  // Written and fsynced, whatever is in it.
  commitMs: 0.5,
  commits: 3,
  restMs: 10,
}

const simulatedBookings = 50_000

/** Of whom more than this of the time is asked, they fall behind: their queue grows as long as it lasts. */
const overloadedUse = 0.97

/** The simulation as this machine: one worker, whose turns take as long as the ceiling says. */
function queueCheck(figures: Figures, ceiling: number): string {
  const turnMs = 1_000 / ceiling / 3
  const rows = ['25 %', '50 %', '75 %', '90 %'].map((condition) => {
    const share = Number.parseInt(condition, 10) / 100
    const { p50Ms, p99Ms } = simulateQueues({
      ...queue,
      workers: 1,
      shows: 200,
      skew: 0,
      turnMs,
      perSecond: ceiling * share,
    })
    const of = (value: (run: Run) => number | undefined) =>
      figure(medianOf(figures, { workload: 'open', condition }, value))
    return [condition, of((run) => run.latency?.p50Ms), figure(p50Ms), of((run) => run.latency?.p99Ms), figure(p99Ms)]
  })
  return markdownTable(['of the ceiling', 'p50 measured', 'simulated', 'p99 measured', 'simulated, ms'], rows)
}

/** Many workers, shows of unequal popularity, and how far the busiest worker is above the others. */
function queueTable(aTurn: number): string {
  const turnMs = aTurn / 1_000
  const rows = [1, 4, 16, 64].flatMap((workers) =>
    [0.5, 0.75].map((use) => {
      const perSecond = (workers * use * 1_000) / (3 * turnMs)
      const seconds = simulatedBookings / perSecond
      const result = simulateQueues({ ...queue, workers, shows: 10_000, skew: 1, turnMs, perSecond, seconds })
      const percent = (value: number): string => `${Math.round(value * 100)} %`
      return [
        String(workers),
        about(perSecond),
        percent(result.meanUse),
        percent(result.busiestUse),
        figure(result.p50Ms),
        result.busiestUse > overloadedUse ? 'grows' : figure(result.p99Ms),
      ]
    }),
  )
  return markdownTable(['workers', 'bookings/s', 'use of workers', 'of the busiest', 'p50 ms', 'p99 ms'], rows)
}

import { settledRecord } from '../../ops/record.ts'
import { defaultPartitions } from '../../src/config.ts'
import { Chance } from '../support/random.ts'
import { until } from '../support/wait.ts'
import { createShows, startCustomers } from './customers.ts'
import { type Figures, figuresOf } from './figures.ts'
import { startGauge } from './gauge.ts'
import { type House, startHouse } from './house.ts'
import { judge } from './judge.ts'
import { Ledger } from './ledger.ts'
import { settle } from './settle.ts'
import { runStorm, type Storm } from './storm.ts'
import { startSubscriber } from './subscriber.ts'

export type RunOptions = {
  /** What is drawn, and when; what comes of it is not the same each time. */
  seed: number
  kills: number
  isThorough: boolean
  customers: number
  leaseMs: number
  progress(line: string): void
}

export type Run = {
  violations: string[]
  storm: Storm
  figures: Figures
  counts: Record<string, number>
  /** Why clients got no answer, and how often. */
  failures: Record<string, number>
  stormMs: number
  settledMs: number
  /** Where the daemons' logs are kept when there is something to look for. */
  logs: string
}

/** The share of calls of each service that go wrong, besides all else. */
const fault = 0.05
const workers = 3

/** Sells on real servers while everything breaks, waits until all has come to its end, and looks for broken promises. */
export async function runFaults(options: RunOptions): Promise<Run> {
  options.progress('starting Postgres, nats-server, the services and five daemons')
  const house = await startHouse({ workers, leaseMs: options.leaseMs, fault })
  let isClean = false
  try {
    const run = await runIn(house, options)
    isClean = run.violations.length === 0
    return run
  } finally {
    await house.stop(!isClean)
  }
}

async function runIn(
  house: House,
  { seed, kills, isThorough, customers, leaseMs, progress }: RunOptions,
): Promise<Run> {
  const [chance, customersChance] = [new Chance(seed), new Chance(~seed)]
  const ledger = new Ledger(`http://127.0.0.1:${house.clients.port}`)
  const subscriber = await startSubscriber(house.nats.url)
  const { gauge, stop: stopGauge } = startGauge(house.ingressUrl, defaultPartitions)
  const stopCustomers = startCustomers(customers, ledger, await createShows(ledger), customersChance)
  const answered = (times: number) =>
    until(`all partitions answer ${times} times`, () => gauge.answers.every((all) => all.length >= times), 60_000)
  // What is done for the first time takes longer.
  await answered(3)
  const calm = { fromMs: performance.now(), toMs: performance.now() + (await answered(8)) }

  progress(`the storm begins, of seed ${seed}: ${kills} workers killed, with a lease of ${leaseMs} ms`)
  const startedMs = performance.now()
  const note = (line: string): void => progress(`${seconds(performance.now() - startedMs)}  ${line}`)
  const storm = await runStorm({ house, gauge, chance, leaseMs, kills, isThorough, progress: note })
  const overMs = performance.now()
  progress('the storm is over; waiting until everything has come to its end')
  await stopCustomers()
  await stopGauge()
  const unsettled = await settle(house, subscriber.heard)
  const findings = await settledRecord(house.postgres.url, 10_000)
  const settledMs = performance.now() - overMs
  await subscriber.close()

  progress('comparing the record, the answers, the services, the events and the read models')
  const evidence = { house, ledger, heard: subscriber.heard, findings }
  const violations = [...storm.stuck, ...unsettled, ...(await judge(evidence))]
  const asked = (type: string): number => ledger.entries.filter(({ command }) => command.type === type).length
  const counts = {
    'workers killed': storm.kills.length,
    'other blows': storm.blows.length,
    ...house.signs,
    'commands answered': ledger.entries.length,
    bookings: ledger.bookings.length,
    bundles: ledger.bundles.length,
    refunds: asked('RefundTicket'),
    'answers to the gauge': gauge.answers.flat().length,
    'turns in the journal': findings.verdicts.positions.looked,
    'public events heard': subscriber.heard.size,
  }
  const figures = figuresOf(storm, gauge, calm)
  const { failures } = ledger
  return { violations, storm, figures, counts, failures, stormMs: overMs - startedMs, settledMs, logs: house.logs }
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(0).padStart(4)} s`

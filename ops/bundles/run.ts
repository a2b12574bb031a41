import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BookingView, VipBundleView } from '../../schemas/http.ts'
import { request, withKey } from '../http.ts'
import { settledRecord, violationsOf } from '../record.ts'
import { startDaemon } from '../sandbox/daemon.ts'
import type { Report } from '../sandbox/gateway.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'
import { holdingsOf, imbalanceOf, type Services } from './balance.ts'
import { watchEnds } from './ends.ts'
import { faultsOf, isShort, type Obstacle, obstacleOf, orderOf, seatsOf, showCount } from './orders.ts'

export type RunOptions = {
  bundles: number
  /** The share of calls that go wrong, 0 to 1. */
  fault: number
  progress(line: string): void
}

export type Run = {
  /** Everything that is not as it must be. */
  violations: string[]
  bundles: Ended[]
  /** From the first request until the last end. */
  totalMs: number
  report: Report
}

/** `ms` is the time from the request until the end was told. */
export type Ended = { bundle: VipBundleView; booking: BookingView; ms: number }

type Asked = { id: string; booking: string; atMs: number; obstacle: Obstacle | undefined; isShort: boolean }

/** After this long without an end there will be none. */
const patienceMs = 120_000

/** Asks for so many bundles at once of faulty services, waits until all have ended, and looks for what is out of balance. */
export async function runBundles(options: RunOptions): Promise<Run> {
  options.progress('starting Postgres, nats-server, the services and the daemon')
  const sandbox = await startSandbox()
  try {
    const daemon = await startDaemon({ env: { ...sandbox.env, LOG_LEVEL: 'error' } })
    try {
      return await runOn(sandbox, daemon.url, options)
    } finally {
      await daemon.stop()
    }
  } finally {
    await sandbox.stop()
  }
}

async function runOn(sandbox: Sandbox, url: string, { bundles, fault, progress }: RunOptions): Promise<Run> {
  const { gateway, postgres, nats } = sandbox
  const shows = await Promise.all(Array.from({ length: showCount }, (_, i) => createShow(url, seatsOf(i, bundles))))
  const { ends, close } = await watchEnds(nats.url)
  gateway.setFaults(faultsOf(fault))
  progress(`${bundles.toLocaleString('en')} bundles at once, ${fault * 100} % of all calls go wrong`)
  const startedMs = Date.now()
  const asked = await Promise.all(Array.from({ length: bundles }, (_, index) => ask(url, index, shows)))
  await waitForEnds(ends, bundles, progress)
  const totalMs = Date.now() - startedMs
  progress('waiting until nothing is under way')
  const findings = await settledRecord(postgres.url, patienceMs)
  await close()

  progress('comparing what the services have, the seats and the record')
  const report = gateway.report()
  const all = await Promise.all(asked.map((one) => look(url, one, ends.get(one.id)?.[0]?.atMs)))
  const holdings = holdingsOf(report as unknown as Services)
  const violations = [
    ...asked.flatMap((one, index) => judgeEnd(one, all[index]?.bundle, ends.get(one.id) ?? [])),
    ...all.flatMap(({ bundle, booking }) => imbalanceOf(bundle, booking, holdings)),
    ...(await judgeSeats(url, shows, all)),
    ...(await judgeTickets(url, all)),
    ...judgeKeys(report),
    ...violationsOf(findings),
  ]
  return { violations, bundles: all, totalMs, report }
}

async function createShow(url: string, seats: number): Promise<string> {
  const details = {
    dead_nation_id: '01900000-0000-7000-8000-0000000000dd',
    number_of_tickets: seats,
    start_time: '2027-01-01T20:00:00Z',
    title: 'The Hounds of Love',
    venue: 'Lyceum',
  }
  const { body } = await request<{ show_id: string }>(`${url}/shows`, { method: 'POST', body: details })
  return body.show_id
}

async function ask(url: string, index: number, shows: string[]): Promise<Asked> {
  const [atMs, obstacle] = [Date.now(), obstacleOf(index)]
  const order = orderOf(index, shows)
  type Ids = { vip_bundle_id: string; booking_id: string }
  const post = (body: object) => ({ method: 'POST' as const, body, headers: withKey(randomUUID()) })
  const { body } = await request<Ids>(`${url}/book-vip-bundle`, post(order))
  const id = body.vip_bundle_id
  if (obstacle === 'stopped') await request(`${url}/vip-bundles/${id}/cancel`, post({}))
  return { id, booking: body.booking_id, atMs, obstacle, isShort: isShort(index) }
}

async function waitForEnds(ends: Map<string, unknown>, count: number, progress: RunOptions['progress']): Promise<void> {
  let [before, heardMs, toldMs] = [0, Date.now(), Date.now()]
  while (ends.size < count && Date.now() - heardMs < patienceMs) {
    if (ends.size > before) [before, heardMs] = [ends.size, Date.now()]
    if (Date.now() - toldMs >= 1_000) {
      progress(`${ends.size} of ${count} have ended`)
      toldMs = Date.now()
    }
    await sleep(20)
  }
}

async function look(url: string, { id, booking, atMs }: Asked, endedMs = Number.POSITIVE_INFINITY): Promise<Ended> {
  const [bundle, booked] = await Promise.all([
    request<VipBundleView>(`${url}/vip-bundles/${id}`),
    request<BookingView>(`${url}/bookings/${booking}`),
  ])
  return { bundle: bundle.body, booking: booked.body, ms: endedMs - atMs }
}

/** It has ended once, as its state says, and not badly without a reason. */
function judgeEnd(asked: Asked, bundle: VipBundleView | undefined, ends: { success: boolean }[]): string[] {
  const told = ends.map(({ success }) => (success ? 'succeeded' : 'failed')).join(' and ')
  const found = []
  if (told !== bundle?.status) found.push(`bundle ${asked.id} is ${bundle?.status}, and was told to have ${told}`)
  const mayFail = asked.obstacle !== undefined || asked.isShort
  if (bundle?.status !== 'succeeded' && !mayFail) found.push(`bundle ${asked.id} failed: ${bundle?.rollback_reason}`)
  const mustFail = asked.obstacle !== undefined && asked.obstacle !== 'stopped'
  if (bundle?.status === 'succeeded' && mustFail) found.push(`bundle ${asked.id} succeeded: ${asked.obstacle}`)
  return found
}

const hasSucceeded = ({ bundle }: Ended): boolean => bundle.status === 'succeeded'

/** What is sold of a show is what its good bundles have. */
async function judgeSeats(url: string, shows: string[], all: Ended[]): Promise<string[]> {
  const found = shows.map(async (show) => {
    const { body } = await request<{ seats_reserved: number }>(`${url}/shows/${show}`)
    const kept = all.filter((one) => hasSucceeded(one) && one.bundle.show_id === show)
    const seats = kept.reduce((sum, { bundle }) => sum + bundle.number_of_tickets, 0)
    return body.seats_reserved === seats
      ? []
      : [`show ${show}: ${body.seats_reserved} seats reserved, ${seats} are held`]
  })
  return (await Promise.all(found)).flat()
}

/** The tickets that are listed as sold are those of the good bundles. The list is a moment behind. */
async function judgeTickets(url: string, all: Ended[]): Promise<string[]> {
  const kept = all.filter(hasSucceeded).flatMap(({ booking }) => Object.keys(booking.tickets))
  const expected = kept.toSorted().join()
  const untilMs = Date.now() + 10_000
  for (;;) {
    const { body } = await request<{ ticket_id: string }[]>(`${url}/tickets`)
    const listed = body.map(({ ticket_id }) => ticket_id)
    if (listed.toSorted().join() === expected) return []
    if (Date.now() > untilMs) return [`${listed.length} tickets are listed as sold, ${kept.length} are held`]
    await sleep(100)
  }
}

const judgeKeys = ({ effects_by_key }: Report): string[] =>
  Object.entries(effects_by_key).flatMap(([service, effects]) => {
    const twice = Object.entries(effects).filter(([, count]) => count > 1)
    return twice.map(([key, count]) => `${service} did the work of key ${key} ${count} times`)
  })

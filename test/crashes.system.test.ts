import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, afterEach, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import { nanos } from '@nats-io/transport-node'
import { type Daemon, startDaemon } from '../ops/sandbox/daemon.ts'
import { type Service, services } from '../schemas/index.ts'
import type { CrashPoint } from '../src/crash-points.ts'
import { Client, type HttpAnswer } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { checkInvariants } from './support/invariants.ts'
import { connectOutside } from './support/nats-client.ts'
import { checkEffects, checkEvents, readEvents, underWay } from './support/settled.ts'
import { ticketServices } from './support/steps.ts'
import { until } from './support/wait.ts'

/** So soon an effect in the hands of a dead process is another's. */
const ackWaitMs = 2_000
/** So soon the broker forgets an effect's id. */
const duplicateWindowMs = 100

/** Where the worker dies, and at the how-many-eth time: in the middle of the life below. */
const workerCrashes: [CrashPoint, time: number][] = [
  ['before-commit', 4],
  ['after-commit', 4],
  ['after-tell', 4],
]

/** In every service, and after the outcome for either kind of actor that asks. */
const effectCrashes: [CrashPoint, Service][] = [
  ...ticketServices.map((service): [CrashPoint, Service] => ['after-call', service]),
  ['after-outcome', 'dead-nation'],
  ['after-outcome', 'spreadsheets'],
]

type Life = { show: string; booking: string; tickets: string[] }

describe('a process that is killed at the worst moment', () => {
  let cluster: Cluster
  let client: Client
  let outside: Awaited<ReturnType<typeof connectOutside>>
  let manager: JetStreamManager
  const running: Daemon[] = []

  before(async () => {
    cluster = await startCluster()
    client = new Client(`http://127.0.0.1:${cluster.env.PORT}`)
    outside = await connectOutside(cluster.nats.url)
    manager = await jetstreamManager(outside.connection)
  })
  after(async () => {
    client.close()
    await outside.close()
    await cluster.stop()
  })
  afterEach(() => Promise.all(running.splice(0).map((daemon) => daemon.stop())))

  const env = () => ({ ...cluster.env, TURNSTILE_LEASE_MS: '1000', TURNSTILE_DRAIN_MS: '0' })
  /** A daemon on the port that the services call back. */
  const startWorker = async (): Promise<void> => {
    running.push(await startDaemon({ env: env(), roles: 'ingress,worker' }))
  }
  const startEffects = async (): Promise<void> => {
    const { PORT: _, ...rest } = env()
    running.push(await startDaemon({ env: rest, roles: 'effects' }))
  }

  /** Runs a daemon until it has killed itself there, which may be before it is ready. */
  const dieAt = async (roles: string, at: string, time = 1): Promise<void> => {
    const { PORT, ...rest } = env()
    const lines: string[] = []
    const starting = startDaemon({
      env: { ...rest, ...(roles !== 'effects' && { PORT }), CRASH_AT: at, CRASH_TIME: String(time) },
      roles,
      nodeArgs: ['--import', 'tsx', '--import', './test/support/crash.ts'],
      onLine: (line) => lines.push(line),
    })
    const isFired = () => lines.includes(`crash point reached: ${at}`)
    const daemon = await starting.catch((error) => {
      if (!isFired()) throw error
    })
    if (!daemon) return
    running.push(daemon)
    await until(`it dies ${at}`, isFired, 20_000)
    assert.equal((await daemon.process().exited).signal, 'SIGKILL')
  }

  /** Asks until there is an answer: the daemon may die meanwhile, and its successor take a moment. */
  const insist = async (ask: () => Promise<HttpAnswer>): Promise<HttpAnswer> => {
    let answer: HttpAnswer | undefined
    const isAnswered = async () => {
      answer = await ask().catch(() => undefined)
      return answer !== undefined && answer.status < 500
    }
    await until('an answer', isAnswered, 30_000)
    return answer as HttpAnswer
  }

  /** A booking of three tickets, all confirmed; one is refunded, one is canceled. */
  const live = async (): Promise<Life> => {
    const headers = { 'Idempotency-Key': randomUUID() }
    const details = { dead_nation_id: randomUUID(), start_time: '2027-01-01T20:00:00Z', title: 'A', venue: 'B' }
    const creation = await insist(() => client.post('/shows', { ...details, number_of_tickets: 10 }, headers))
    const show = String(creation.body.show_id)
    const booking = String((await insist(() => client.book(show, 3, headers))).body.booking_id)
    const tickets = async () => {
      const { body } = await insist(() => client.get(`/bookings/${booking}`))
      return Object.keys(body.tickets ?? {})
    }
    await until('all tickets are confirmed', async () => (await tickets()).length === 3, 30_000)
    const [refunded = '', canceled = '', kept = ''] = await tickets()
    assert.equal((await insist(() => client.put(`/ticket-refund/${refunded}`))).status, 202)
    const cancellation = {
      ticket_id: canceled,
      status: 'canceled',
      price: { amount: '50.30', currency: 'EUR' },
      customer_email: 'kate@example.com',
      booking_id: booking,
    }
    await insist(() => client.post('/tickets-status', { tickets: [cancellation] }, headers))
    return { show, booking, tickets: [refunded, canceled, kept] }
  }

  const settle = () =>
    until('nothing is under way', async () => !(await underWay(cluster.sql, outside.connection)), 30_000)

  /** How a life has ended, for whoever looks at it from anywhere: the same for all lives. */
  const endOf = async ({ show, booking, tickets }: Life): Promise<object> => {
    const events = await readEvents(outside.connection)
    const report = cluster.gateway.report() as unknown as Record<string, object>
    const count = (part: object | undefined, id: string) => JSON.stringify(part ?? {}).split(id).length - 1
    const state = async (path: string) => (await client.get(path)).body
    const eventsOf = (actor: string) => events.flatMap((event) => (event.actor === actor ? event.name : [])).sort()
    const ticketEnd = async (id: string) => ({
      status: (await state(`/tickets/${id}`)).status,
      events: eventsOf(`ticket.${id}`),
      receipts: count(report.receipts, id),
      voided: count(report.voided_receipts, id),
      refunds: count(report.refunds, id),
      // Its name and what is printed on it, twice.
      files: count(report.files, id) / 3,
      rows: Object.fromEntries(Object.entries(report.sheets ?? {}).map(([sheet, rows]) => [sheet, count(rows, id)])),
    })
    return {
      seatsLeft: (await state(`/shows/${show}`)).seats_left,
      booking: [(await state(`/bookings/${booking}`)).status, eventsOf(`booking.${booking}`)],
      orders: count(report.bookings, booking),
      tickets: await Promise.all(tickets.map(ticketEnd)),
    }
  }

  /** Everything is once in the whole world, and every life has ended as it should. @returns what the services did */
  const checkLives = async (lives: Life[]): Promise<object> => {
    await settle()
    for (const life of lives) assert.deepEqual(await endOf(life), expectedEnd)
    await checkEvents(cluster.sql, await readEvents(outside.connection))
    await checkInvariants(cluster)
    return checkEffects(cluster.sql, cluster.gateway.report())
  }

  test('first a life that nobody disturbs, which is the measure of the others', async () => {
    await Promise.all([startWorker(), startEffects()])
    for (const service of services) {
      await manager.consumers.update('turnstile-effects', service, { ack_wait: nanos(ackWaitMs) })
    }
    await checkLives([await live()])
  })

  test('as a worker, it is taken over from, and every life ends as the one that nobody disturbed', async (t) => {
    const lives: Promise<Life>[] = []
    await startEffects()
    for (const [point, time] of workerCrashes) {
      lives.push(live())
      await dieAt('ingress,worker', point, time)
    }
    await startWorker()
    t.diagnostic(JSON.stringify(await checkLives(await Promise.all(lives))))
  })

  test('with an effect of any service in hand, its work is done by another, and once', async (t) => {
    await startWorker()
    const lives: Promise<Life>[] = []
    for (const [point, service] of effectCrashes) {
      // Each brings every service something to do, so that the point is sure to be reached.
      lives.push(live())
      await dieAt('effects', `${point} ${service}`)
    }
    await startEffects()
    t.diagnostic(JSON.stringify(await checkLives(await Promise.all(lives))))
  })

  test('before it has noted what it told, the row that its successor asks for again is appended once', async () => {
    const ticket = {
      ticket_id: randomUUID(),
      status: 'confirmed',
      price: { amount: '50.30', currency: 'EUR' },
      customer_email: 'kate@example.com',
    }
    await startEffects()
    const rows = () => {
      const { sheets } = cluster.gateway.report() as unknown as { sheets: Record<string, string[][]> }
      return (sheets['tickets-to-print'] ?? []).filter(([id]) => id === ticket.ticket_id).length
    }
    const dying = dieAt('ingress,worker', 'after-tell')
    const headers = { 'Idempotency-Key': randomUUID() }
    const reported = insist(() => client.post('/tickets-status', { tickets: [ticket] }, headers))
    await dying
    await until('the row is there', () => rows() === 1)
    const calls = cluster.gateway.report().calls.spreadsheets ?? 0
    // The broker remembers ids for a time of its own, which each daemon puts right when it starts: a repetition would be dropped.
    await manager.streams.update('turnstile-effects', { duplicate_window: nanos(duplicateWindowMs) })
    await sleep(4 * duplicateWindowMs)

    await startWorker()
    assert.equal((await reported).status, 200)
    await until('it is asked for again', () => (cluster.gateway.report().calls.spreadsheets ?? 0) > calls)
    await settle()
    assert.equal(rows(), 1)
    await checkEffects(cluster.sql, cluster.gateway.report())
  })
})

const confirmedEvents = ['TicketBookingConfirmed_v1', 'TicketPrinted_v1', 'TicketReceiptIssued_v1']
const confirmedTicket = {
  status: 'confirmed',
  events: confirmedEvents,
  receipts: 1,
  voided: 0,
  refunds: 0,
  files: 1,
  rows: { 'tickets-to-print': 1, 'tickets-to-refund': 0 },
}
const expectedEnd = {
  seatsLeft: 9,
  booking: ['made', ['BookingMade_v1']],
  orders: 1,
  tickets: [
    {
      ...confirmedTicket,
      status: 'refunded',
      events: [...confirmedEvents, 'TicketRefunded_v1'],
      voided: 1,
      refunds: 1,
    },
    {
      ...confirmedTicket,
      status: 'canceled',
      events: ['TicketBookingCanceled_v1', ...confirmedEvents],
      rows: { 'tickets-to-print': 1, 'tickets-to-refund': 1 },
    },
    confirmedTicket,
  ],
}

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../ops/sandbox/gateway/faults.ts'
import type { Service } from '../schemas/index.ts'
import { Client } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { checkInvariants } from './support/invariants.ts'
import { connectOutside } from './support/nats-client.ts'
import { checkEffects, checkEvents, readEvents, underWay } from './support/settled.ts'
import { type Duration, measureSteps, type Step, stepNames, steps, ticketServices } from './support/steps.ts'
import { until } from './support/wait.ts'

/** `npm run outages` is the full size: every service has every fault. Otherwise each has one of them, for a moment. */
const isFull = process.env.OUTAGES === 'full'
/** A booking so often: 500 of them in the time that all faults of a service take. */
const paceMs = isFull ? 110 : 40
const quietMs = isFull ? 20_000 : 1_500

const faults: [name: string, fault: Fault, lastsMs: number][] = [
  ['503', { status: 503 }, isFull ? 30_000 : 1_500],
  ['resets after success', { reset_after_success: true }, isFull ? 4_000 : 1_500],
  ['hangs', { hang_ms: isFull ? 10_000 : 1_000 }, isFull ? 12_000 : 1_500],
  ['garbage', { garbage: true }, isFull ? 4_000 : 1_500],
  ['20 % of everything', { probability: 0.2, hang_ms: 200, reset_after_success: true }, isFull ? 6_000 : 1_500],
]

/** The median of the steps that wait for other services may grow so much: on a busy machine the 99th percentile is noise. */
const marginMs = 500

describe('while a service fails', () => {
  let cluster: Cluster
  let client: Client
  let outside: Awaited<ReturnType<typeof connectOutside>>
  let show: string
  let undisturbed: Record<Step, Duration>
  const sold = { bookings: 0, others: 0 }

  before(async () => {
    cluster = await startCluster()
    client = new Client((await cluster.addDaemon()).url)
    outside = await connectOutside(cluster.nats.url)
    show = await client.createShow(100_000)
    // A process that has just started is slow for reasons of its own.
    await measureDuring(() => sleep(quietMs / 4))
    undisturbed = await measureDuring(() => sleep(quietMs))
  })
  after(async () => {
    client.close()
    await outside.close()
    await cluster.stop()
  })

  const report = (ticket: string) => {
    const details = {
      status: 'confirmed',
      price: { amount: '50.30', currency: 'EUR' },
      customer_email: 'k@example.com',
    }
    const headers = { 'Idempotency-Key': randomUUID() }
    return client.post('/tickets-status', { tickets: [{ ticket_id: ticket, ...details }] }, headers)
  }

  /** Tickets come by a booking, and by another system, which knows no Dead Nation and refunds every other one. */
  const sell = async (): Promise<void> => {
    assert.equal((await client.book(show)).status, 201)
    const ticket = randomUUID()
    assert.equal((await report(ticket)).status, 200)
    if (sold.others % 2 === 0) assert.equal((await client.put(`/ticket-refund/${ticket}`)).status, 202)
    sold.bookings += 1
    sold.others += 1
  }

  /** Sells at an even pace until this is over; then measures. */
  const measureDuring = async (happen: () => Promise<unknown>): Promise<Record<Step, Duration>> => {
    let isOver = false
    const from = new Date()
    const happening = happen().finally(() => {
      isOver = true
    })
    const sales: Promise<void>[] = []
    while (!isOver) {
      sales.push(sell())
      await sleep(paceMs)
    }
    const to = new Date()
    await happening
    await Promise.all(sales)
    await until('nothing is under way', async () => !(await underWay(cluster.sql, outside.connection)), 120_000)
    return measureSteps(cluster.sql, from, to)
  }

  const set = async (fault: Partial<Record<Service, Fault>>): Promise<Record<string, { struck: object }>> => {
    const answer = await fetch(`${cluster.gateway.addr}/_faults`, { method: 'PUT', body: JSON.stringify(fault) })
    assert.equal(answer.status, 200)
    return (await answer.json()) as Record<string, { struck: object }>
  }

  /** A fault lasts its time, and until it has struck. */
  const suffer = async (service: Service, fault: Fault, lastsMs: number): Promise<void> => {
    await set({ [service]: fault })
    await sleep(lastsMs)
    const hasStruck = async () => Object.keys((await set({}))[service]?.struck ?? {}).length > 0
    await until(`${JSON.stringify(fault)} strikes ${service}`, hasStruck, 30_000)
    await set({ [service]: {} })
  }

  /** Every booking has its ticket, and every ticket all that belongs to it; nothing was set aside. */
  const checkComplete = async (): Promise<void> => {
    const complete = await cluster.sql`
      select from actor where kind = 'ticket' and state->>'status' in ('confirmed', 'refunded')
        and state->>'receipt' is not null and state->>'file_name' is not null and json_array_length(state->'rows') = 1`
    assert.equal(complete.length, sold.bookings + sold.others)
    const served = await cluster.sql`
      select from actor where kind = 'booking' and state->>'status' = 'made' and state->>'tickets' like '%confirmed%'`
    assert.equal(served.length, sold.bookings)
    assert.equal((await cluster.sql`select from dead_letter`).length, 0)
  }

  for (const [index, service] of ticketServices.entries()) {
    const own = isFull ? faults : faults.slice(index % faults.length, (index % faults.length) + 1)
    test(`${service} (${own.map(([name]) => name).join(', ')}), nothing is lost or done twice, and no other step waits`, async (t) => {
      const takesMs = own.reduce((sum, [, , lastsMs]) => sum + lastsMs, 0)
      const startedMs = performance.now()
      const measured = await measureDuring(async () => {
        for (const [, fault, lastsMs] of own) await suffer(service, fault, lastsMs)
      })
      const seconds = Math.round((performance.now() - startedMs - takesMs) / 1_000)
      const line = stepNames.map((step) => `${step} ${undisturbed[step].p99} → ${measured[step].p99}`).join(', ')
      t.diagnostic(
        `${service}, p99 in ms: ${line}; ${sold.bookings} bookings so far, settled ${seconds} s after the last fault`,
      )

      await checkComplete()
      await checkEffects(cluster.sql, cluster.gateway.report())
      await checkEvents(cluster.sql, await readEvents(outside.connection))
      await checkInvariants(cluster)
      for (const step of stepNames) {
        if ((steps[step].services as Service[]).includes(service)) continue
        const { p50 } = measured[step]
        assert.ok(p50 < undisturbed[step].p50 + marginMs, `${step} waits for ${service}: ${p50} ms`)
      }
    })
  }
})

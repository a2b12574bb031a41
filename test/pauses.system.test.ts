import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { Daemon } from '../ops/sandbox/daemon.ts'
import { runCli } from './support/cli.ts'
import { Client } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { checkInvariants } from './support/invariants.ts'
import { until } from './support/wait.ts'

/** Operators hold back a service, an actor and a kind, and let them go on, by the command line. */
describe('pauses', () => {
  let cluster: Cluster
  let daemons: Daemon[]
  let client: Client
  before(async () => {
    cluster = await startCluster()
    daemons = [await cluster.addDaemon(), await cluster.addDaemon('worker,effects')]
    client = new Client(daemons[0]?.url ?? '')
  })
  after(async () => {
    client.close()
    await cluster.stop()
  })

  /** The output of a command that succeeds. */
  const run = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await runCli(cluster.env, args)
    assert.equal(code, 0, `${args.join(' ')}: ${out}${err}`)
    return out
  }
  const pause = async (...target: string[]): Promise<void> => {
    await run('pause', ...target, '--reason', 'a trial', '--by', 'ada')
    await untilHeard(`turnstile_paused{target="${target[0]}"} 1`)
  }
  const untilHeard = (line: string) =>
    until(line, async () => {
      const texts = await Promise.all(daemons.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()))
      return texts.every((text) => text.split('\n').includes(line))
    })
  const report = (ticket: string, key = randomUUID()) => {
    const price = { amount: '12.50', currency: 'EUR' }
    const entry = { ticket_id: ticket, status: 'confirmed', price, customer_email: 'k@example.com' }
    return client.post('/tickets-status', { tickets: [entry] }, { 'Idempotency-Key': key })
  }
  const hasReceipt = (ticket: string) =>
    until('it has its receipt', async () => Boolean((await client.get(`/tickets/${ticket}`)).body.receipt))
  const callsAbout = (booking: string) =>
    cluster.gateway.report().last_calls.filter(({ service, body }) => {
      return service === 'dead-nation' && (body as { booking_id?: string }).booking_id === booking
    })

  test('a paused service is not called, by any process; resumed, it is called once', async () => {
    await pause('service', 'dead-nation')
    const show = await client.createShow(10)
    const { status, body } = await client.book(show, 2)
    assert.equal(status, 201)
    const booking = String(body.booking_id)
    // Another service is called for what was asked later.
    const ticket = randomUUID()
    assert.equal((await report(ticket)).status, 200)
    await hasReceipt(ticket)
    assert.deepEqual(callsAbout(booking), [])
    assert.match(await run('pauses'), /^AGE +TARGET .*\n\d+s +service +dead-nation +- +ada +a trial\n$/)

    assert.equal(await run('resume', 'service', 'dead-nation'), 'service dead-nation is resumed.\n')
    const confirmed = async () => Object.keys((await client.get(`/bookings/${booking}`)).body.tickets ?? {}).length
    await until('its tickets are confirmed', async () => (await confirmed()) === 2)
    assert.equal(callsAbout(booking).length, 1)
  })

  test('a paused show holds back its own bookings and no others; resumed, each is made once', async () => {
    const [paused, other] = [await client.createShow(10), await client.createShow(10)]
    await pause('actor', 'show', paused)
    const keys = ['a', 'b', 'c']
    for (const key of keys) {
      const { status, body, headers } = await client.book(paused, 2, { 'Idempotency-Key': key })
      assert.deepEqual([status, body.type, headers['retry-after']], [503, '/problems/paused', '30'])
    }
    assert.equal((await client.book(other, 2)).status, 201)
    assert.match(await run('pauses'), /\d+s +actor +show\.\S+ +3 +ada +a trial\n$/)

    const lines = (await run('resume', 'actor', 'show', paused, '--json')).trim().split('\n')
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)).map(({ result, type }) => `${result} ${type}`),
      keys.map(() => 'requeued ReserveSeats'),
    )
    for (const key of keys) {
      await until('it is made', async () => (await client.book(paused, 2, { 'Idempotency-Key': key })).status === 201)
    }
    assert.equal((await client.get(`/shows/${paused}`)).body.seats_reserved, 6)
  })

  test('a resume that ended half-way is finished by another', async () => {
    await untilHeard('turnstile_paused{target="actor"} 0')
    await pause('kind', 'ticket')
    const [ticket, key] = [randomUUID(), randomUUID()]
    const { status, body } = await report(ticket, key)
    assert.deepEqual([status, body.type], [503, '/problems/paused'])
    assert.equal((await client.book(await client.createShow(10))).status, 201)
    // All that it did before it died.
    await cluster.sql`delete from pause`
    assert.match(
      await run('pauses'),
      /^Nothing is paused\.\n\d+ messages to ticket actors wait .*resume kind ticket\n$/,
    )
    assert.match(await run('resume', 'kind', 'ticket'), /was not paused\.\n(requeued .*\n)+\d+ requeued\.\n$/)
    await hasReceipt(ticket)
    assert.equal((await report(ticket, key)).status, 200)
  })

  test('every act is on record, and nothing was done twice', async () => {
    const acts = await cluster.sql`select act, subject, who, reason from audit order by seq`
    assert.deepEqual(
      acts.flatMap(({ act, subject }) => (act === 'requeue' ? [] : `${act} ${subject.split(' ')[0]}`)),
      ['pause service', 'resume service', 'pause actor', 'resume actor', 'pause kind'],
    )
    assert.deepEqual({ ...acts[0] }, { act: 'pause', subject: 'service dead-nation', who: 'ada', reason: 'a trial' })
    await checkInvariants(cluster)
    for (const byKey of Object.values(cluster.gateway.report().effects_by_key)) {
      for (const effects of Object.values(byKey)) assert.ok(effects <= 1)
    }
  })
})

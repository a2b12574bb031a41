import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { configurationOf, type User, users } from '../ops/nats/permissions.ts'
import { type Daemon, startDaemon } from '../ops/sandbox/daemon.ts'
import { runCli } from './support/cli.ts'
import { Client } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { checkInvariants } from './support/invariants.ts'
import { type Group, makeLogins } from './support/logins.ts'
import { until } from './support/wait.ts'

const passwords = Object.fromEntries(users.map((user) => [user, randomUUID()])) as Record<User, string>
const roles = ['worker', 'ingress', 'effects', 'projector'] as const
const prefix = 'turnstile'
const everybody = [...users]
const allBut = (...some: User[]) => everybody.filter((user) => !some.includes(user))

/** What each user may not publish; the server says so. */
const refused: [subject: string, who: User[]][] = [
  [`$JS.API.STREAM.DELETE.${prefix}-mailbox`, everybody],
  [`$JS.API.STREAM.PURGE.${prefix}-events`, everybody],
  [`$JS.API.STREAM.CREATE.another`, everybody],
  [`$JS.API.STREAM.UPDATE.${prefix}-mailbox`, allBut('worker')],
  [`$JS.API.STREAM.PURGE.${prefix}-mailbox`, allBut('worker')],
  [`$JS.API.STREAM.MSG.DELETE.${prefix}-events`, allBut('eraser')],
  [`$JS.API.STREAM.MSG.DELETE.${prefix}-effects`, everybody],
  [`$JS.API.STREAM.MSG.GET.${prefix}-mailbox`, allBut('eraser', 'worker')],
  [`$JS.API.CONSUMER.CREATE.${prefix}-mailbox.mine.${prefix}.mbx.>`, allBut('worker')],
  [`$JS.API.CONSUMER.CREATE.${prefix}-effects.mine.${prefix}.fx.>`, allBut('effects')],
  [`$JS.API.CONSUMER.DELETE.${prefix}-effects.payments`, everybody],
  [`$JS.ACK.${prefix}-effects.payments.1.1.1.1.1`, allBut('effects')],
  [`${prefix}.mbx.1.ticket.x.RefundTicket`, ['projector', 'eraser']],
  [`${prefix}.evt.ticket.x.TicketRefunded_v1`, allBut('worker', 'operator')],
  [`${prefix}.fx.payments.RefundPayment`, allBut('worker', 'operator')],
  ['_INBOX.ingress.x', allBut('worker')],
  ['another.subject', everybody],
]
const unheard: [subject: string, who: User[]][] = [
  ['_INBOX.ingress.>', allBut('ingress')],
  ['_INBOX.>', everybody],
  [`${prefix}.>`, everybody],
  [`${prefix}.mbx.>`, everybody],
  [`${prefix}.fx.>`, everybody],
  [`${prefix}.evt.>`, allBut('integrator')],
]

/** Every kind of process with a database login and a NATS user of its own. The tests build on each other. */
describe('with no more rights than it needs', () => {
  let cluster: Cluster
  let client: Client
  let logins: Awaited<ReturnType<typeof makeLogins>>
  let show: string
  const daemons: Daemon[] = []
  const lines: string[] = []
  const natsOf = (user: User): string => cluster.nats.url.replace('//', `//${user}:${passwords[user]}@`)
  const envOf = (name: Group & User) => ({ POSTGRES_URL: logins.urls[name], NATS_URL: natsOf(name) })
  const connectAs = (user: User): Promise<NatsConnection> =>
    connect({ servers: cluster.nats.url, user, pass: passwords[user], inboxPrefix: `_INBOX.${user}` })
  const start = async (role: (typeof roles)[number]): Promise<Daemon> => {
    const { PORT, ...shared } = cluster.env
    const env = { ...shared, ...envOf(role), ...(role === 'ingress' && { PORT }) }
    const daemon = await startDaemon({ env, roles: role, onLine: (line) => lines.push(line) })
    daemons.push(daemon)
    return daemon
  }
  const run = async (name: Group & User, ...args: string[]): Promise<string> => {
    const { code, out, err } = await runCli({ ...cluster.env, ...envOf(name) }, args)
    assert.equal(code, 0, `${args.join(' ')}: ${out}${err}`)
    return out
  }

  before(async () => {
    cluster = await startCluster({ natsAuthorization: configurationOf(prefix, passwords) })
    const { code, err } = await runCli(cluster.env, ['migrate', '--grants'])
    assert.equal(code, 0, err)
    logins = await makeLogins(cluster.sql, cluster.postgres.url)
    // The streams are the workers' to make.
    await start('worker')
    const [ingress] = await Promise.all([start('ingress'), start('effects'), start('projector')])
    client = new Client(ingress.url)
  })
  after(async () => {
    client?.close()
    for (const daemon of daemons) await daemon.stop()
    await cluster.stop()
  })

  test('every process does its work: a booking is made, confirmed, printed, refunded, and listed', async () => {
    show = await client.createShow(10)
    const booking = String((await client.book(show, 2)).body.booking_id)
    const tickets = async () => Object.keys((await client.get(`/bookings/${booking}`)).body.tickets ?? {})
    await until('its tickets are confirmed', async () => (await tickets()).length === 2)
    const [ticket = ''] = await tickets()
    const stateOf = async () => (await client.get(`/tickets/${ticket}`)).body
    await until('it is printed', async () => (await stateOf()).file_name !== null && (await stateOf()).receipt !== null)
    assert.equal((await client.put(`/ticket-refund/${ticket}`)).status, 202)
    await until('it is refunded', async () => (await stateOf()).status === 'refunded')
    await until(
      'it is in the audit log',
      async () => (await cluster.sql`select from audit where act = 'refund'`).length === 1,
    )
    await until(
      'the list has the other one',
      async () => JSON.stringify((await client.get('/tickets')).body).split('price').length === 2,
    )
  })

  test('another system sends commands, and gets the events', async () => {
    const nats = await connectAs('integrator')
    const id = randomUUID()
    const order = { show_id: show, number_of_tickets: 1, customer_email: 'kate@example.com' }
    const heard = nats.subscribe(`${prefix}.evt.booking.${id}.>`, { max: 1 })
    await jetstream(nats).publish(`${prefix}.cmd.booking.${id}.BookShowTickets`, JSON.stringify(order))
    for await (const { subject } of heard) assert.match(subject, /BookingMade_v1$/)
    const manager = await jetstreamManager(nats)
    await manager.consumers.add(`${prefix}-events`, {
      durable_name: 'books',
      ack_policy: 'explicit',
      filter_subject: `${prefix}.evt.>`,
    })
    const message = await (await jetstream(nats).consumers.get(`${prefix}-events`, 'books')).next({ expires: 5_000 })
    assert.equal(await message?.ackAck(), true)
    await nats.close()
  })

  test('operators act, and the record can be checked and erased', async () => {
    const email = 'kate@example.com'
    await run('operator', 'pause', 'service', 'payments', '--reason', 'a try')
    await run('operator', 'resume', 'service', 'payments')
    const nats = await connectAs('integrator')
    await jetstream(nats).publish(`${prefix}.cmd.booking.${randomUUID()}.BookShowTickets`, '{}')
    await nats.close()
    await until('there is a dead letter', async () => (await cluster.sql`select from dead_letter`).length === 1)
    const [letter] = await cluster.sql<{ id: string }[]>`select message_id as id from dead_letter`
    const order = JSON.stringify({ show_id: show, number_of_tickets: 1, customer_email: email })
    await run('operator', 'dead-letters', 'edit', letter?.id ?? '', '--payload', order)
    await run('operator', 'dead-letters', 'requeue', '--all')
    await run('operator', 'projections', 'rebuild', 'tickets')
    await run('operator', 'redrive', '--older-than', '0s')
    await run('eraser', 'erase', email)
    assert.match(await run('operator', 'verify'), /All of it holds/)
    assert.match(await run('operator', 'audit', 'list'), /erased .*customer sha256:/)
    await checkInvariants(cluster)
  })

  test('NATS refuses whatever else a user asks for', async () => {
    for (const user of users) {
      const nats = await connectAs(user)
      const errors: string[] = []
      void collect(nats, errors)
      const mine = refused.filter(([, who]) => who.includes(user))
      for (const [subject] of mine) nats.publish(subject, '{}')
      const deaf = unheard.filter(([, who]) => who.includes(user))
      for (const [subject] of deaf) nats.subscribe(subject, { callback: () => {} })
      const denied = (subject: string) => errors.some((error) => error.includes(`"${subject}"`))
      const allowed = () => [...mine, ...deaf].flatMap(([subject]) => (denied(subject) ? [] : subject))
      await until('it is refused everything', async () => allowed().length === 0).catch(() => {
        assert.deepEqual(allowed(), [], user)
      })
      await nats.close()
    }
  })

  test('nothing was refused that a process asked for', () => {
    assert.deepEqual(
      lines.filter((line) => /ermission|not authorized|42501/i.test(line)),
      [],
    )
  })
})

async function collect(nats: NatsConnection, errors: string[]): Promise<void> {
  for await (const status of nats.status()) if (status.type === 'error') errors.push(String(status.error))
}

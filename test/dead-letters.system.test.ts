import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { headers } from '@nats-io/transport-node'
import { findLost } from '../ops/record.ts'
import { type Daemon, startDaemon } from '../ops/sandbox/daemon.ts'
import { runCli } from './support/cli.ts'
import { Client } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { checkInvariants } from './support/invariants.ts'
import { connectOutside } from './support/nats-client.ts'
import { until } from './support/wait.ts'

/** What the tests look at of a line of `list --json`. */
type Listed = { messageId: string; actorId: string; attempts: number }

/** Bookings die of a bug, wait for the fix, and are made after all. The tests build on each other. */
describe('dead letters', () => {
  let cluster: Cluster
  let daemon: Daemon
  let client: Client
  let outside: Awaited<ReturnType<typeof connectOutside>>
  let show: string
  let letters: string[]
  const keys = ['key-0', 'key-1', 'key-2']

  const start = async (...nodeArgs: string[]): Promise<void> => {
    daemon = await startDaemon({ env: cluster.env, nodeArgs })
    client = new Client(daemon.url)
  }
  const stop = async (): Promise<void> => {
    client.close()
    await daemon.stop()
  }
  before(async () => {
    cluster = await startCluster()
    outside = await connectOutside(cluster.nats.url)
    await start('--import', 'tsx', '--import', './test/support/broken-booking.ts')
    show = await client.createShow(20)
  })
  after(async () => {
    await stop()
    await outside.close()
    await cluster.stop()
  })

  const deadLetters = (args: string[], input?: string) => runCli(cluster.env, ['dead-letters', ...args], input)
  /** The output of a command that succeeds. */
  const run = async (args: string[], input?: string): Promise<string> => {
    const { code, out, err } = await deadLetters(args, input)
    assert.equal(code, 0, `${args.join(' ')}: ${out}${err}`)
    assert.equal(err, '')
    return out
  }
  /** What a command that fails says. */
  const fail = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await deadLetters(args)
    assert.equal(code, 1, `${args.join(' ')}: ${out}${err}`)
    return out + err
  }
  const list = async (...args: string[]): Promise<Listed[]> => {
    const lines = (await run(['list', '--json', ...args])).split('\n')
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line))
  }
  const untilListed = (count: number, ...args: string[]) =>
    until(`${count} letters: ${args}`, async () => (await list(...args)).length === count)
  const bookings = async (status: string): Promise<string[]> => {
    const rows = await cluster.sql`select id from actor where kind = 'booking' and state->>'status' = ${status}`
    return rows.map(({ id }) => String(id))
  }

  test('a bug makes one of each booking, and they are listed by any of their sides', async () => {
    for (const key of keys) assert.equal((await client.book(show, 2, { 'Idempotency-Key': key })).status, 500)
    await outside.publish({ kind: 'opera', id: randomUUID(), name: 'Sing', body: {} })
    await untilListed(4)

    const table = await run(['list', '--code', 'turn-threw'])
    assert.match(table, /^AGE +ID +KIND +ACTOR +TYPE +CODE +CAUSE\n/)
    assert.equal(table.match(/ booking .* SeatsReserved +turn-threw +the hall has no balcony\n/g)?.length, 3)
    assert.match(await run(['list', '--limit', '1']), /more than these 1: /)

    const [first] = await list('--error', 'NO BALCONY', '--newer-than', '1h')
    assert.ok(first)
    assert.equal((await list('--actor', `booking.${first.actorId}`, '--kind', 'booking')).length, 1)
    assert.equal((await list('--older-than', '1h')).length, 0)
    letters = (await list('--code', 'turn-threw')).map(({ messageId }) => messageId)
    assert.equal(letters.length, 3)
  })

  test('one is shown with all there is to know', async () => {
    const [id = ''] = letters
    const text = await run(['show', id])
    for (const part of [id, /"show_id": "/, /correlationId +\S/, /at .*broken-booking\.ts/, /attempts +1,/])
      assert.match(text, new RegExp(part))
    const { payload, audit } = JSON.parse(await run(['show', id, '--json']))
    assert.deepEqual([payload.number_of_tickets, audit], [2, []])
  })

  test('requeued before the fix, it is the same letter again', async () => {
    const [id = ''] = letters
    // It may fail before the command has written down that it was requeued, and says so.
    const { out } = await deadLetters(['requeue', id, '--by', 'ada'])
    assert.match(out, new RegExp(`^(requeued|failed) +${id} booking\\..* SeatsReserved`))
    await until('it failed again', async () => (await list('--id', id))[0]?.attempts === 2)
    assert.equal((await list('--code', 'turn-threw')).length, 3)
  })

  test('requeued after the fix, all become bookings, and who asks again gets the answer', async () => {
    await stop()
    await start()
    assert.equal((await bookings('reserving')).length, 3)
    assert.match(await fail('requeue'), /--all/)
    assert.match(await run(['requeue', '--all', '--dry-run']), /\n4 meant\.\n$/)
    assert.equal((await list()).length, 4)
    const out = await run(['requeue', '--code', 'turn-threw', '--reason', 'fixed', '--json'])
    const results = out.trim().split('\n')
    assert.deepEqual(
      results.map((line) => JSON.parse(line).result),
      ['requeued', 'requeued', 'requeued'],
    )

    await until('the bookings are made', async () => (await bookings('made')).length === 3)
    for (const key of keys) {
      const { status, body } = await client.book(show, 2, { 'Idempotency-Key': key })
      assert.equal(status, 201)
      assert.deepEqual(await findLost(cluster.sql, [String(body.booking_id)]), [])
    }
    assert.equal((await list('--code', 'turn-threw')).length, 0)
    assert.equal((await list('--code', 'turn-threw', '--status', 'requeued')).length, 3)
  })

  test('requeued once more, it changes nothing', async () => {
    const [id = ''] = letters
    assert.match(await fail('requeue', id), /no letter of this id is open/)
    assert.match(await run(['requeue', id, '--status', 'requeued']), /1 requeued/)
    await checkInvariants(cluster)
    assert.equal((await bookings('made')).length, 3)
  })

  test('a wrong message is edited, checked, and becomes a booking', async () => {
    const id = randomUUID()
    const order = { show_id: show, customer_email: 'kate@example.com' }
    await outside.publish({ kind: 'booking', id, name: 'BookShowTickets', body: { ...order, number_of_tickets: 0 } })
    await untilListed(1, '--actor', id)
    const letter = (await list('--actor', id))[0]?.messageId ?? ''
    assert.match(await fail('edit', letter, '--payload', JSON.stringify(order)), /number_of_tickets/)
    const right = JSON.stringify({ ...order, number_of_tickets: 2 })
    await run(['edit', letter, '--payload', '-', '--by', 'bert', '--reason', 'zero tickets'], right)
    await run(['requeue', letter, '--by', 'bert'])
    await until('it is made', async () => (await bookings('made')).includes(id))

    const { audit } = JSON.parse(await run(['show', letter, '--json']))
    const [edited, requeued] = audit
    assert.deepEqual([edited.act, edited.who, edited.reason], ['edit', 'bert', 'zero tickets'])
    assert.match(Buffer.from(edited.before.payload.slice(2), 'hex').toString(), /"number_of_tickets":0/)
    assert.deepEqual([requeued.act, requeued.who, audit.length], ['requeue', 'bert', 2])
  })

  test('an effect goes back to its queue, and keeps its idempotency key', async () => {
    const [actor = ''] = await bookings('made')
    const effect = randomUUID()
    const fields = headers()
    for (const [name, value] of [
      ['Nats-Msg-Id', effect],
      ['Actor-Kind', 'booking'],
      ['Actor-Id', actor],
    ] as const)
      fields.set(name, value)
    outside.connection.publish('turnstile.fx.dead-nation.BookTickets', '{}', { headers: fields })
    await untilListed(1, '--kind', 'dead-nation', '--actor', `booking.${actor}`)
    const request = { booking_id: actor, customer_address: 'kate@example.com', event_id: show, number_of_tickets: 1 }
    await run(['edit', effect, '--payload', JSON.stringify(request)])
    await run(['requeue', effect])
    await until('the service is called', () =>
      cluster.gateway.report().last_calls.some(({ idempotency_key }) => idempotency_key === effect),
    )
  })

  test('what is of no use is discarded, with a reason', async () => {
    assert.match(await fail('discard', '--kind', 'opera'), /--reason/)
    assert.match(await run(['discard', '--kind', 'opera', '--reason', 'a trial']), /1 discarded\.\n$/)
    assert.match(await run(['list']), /^No open dead letter/)
    const [{ messageId = '' } = {}] = await list('--status', 'discarded')
    const text = await run(['show', messageId])
    assert.match(text, /acts\n.* discard +by .+ +a trial\n/)
  })

  test('every command explains itself', async () => {
    assert.match(await run(['--help']), /requeue .*\n.*edit /)
    for (const command of ['list', 'show', 'requeue', 'edit', 'discard'])
      assert.match(await run([command, '--help']), new RegExp(`^turnstile dead-letters ${command} `))
    assert.equal((await deadLetters(['forget'])).code, 2)
  })
})

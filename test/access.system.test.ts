import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { freePort } from '../ops/sandbox/ports.ts'
import { runCli } from './support/cli.ts'
import { Client } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { until } from './support/wait.ts'

const webhookSecret = `whsec_${Buffer.alloc(32, 3).toString('base64')}`
const folder = mkdtempSync(path.join(process.env.TEST_FOLDER ?? tmpdir(), 'access-'))
const file = path.join(folder, 'keys')

let cluster: Cluster
before(async () => {
  cluster = await startCluster({ webhookSecret })
})
after(async () => {
  await cluster.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function createKey(name: string, role: string): Promise<Record<string, string>> {
  const { code, out, err } = await runCli({}, ['keys', 'create', name, '--role', role, '--file', file])
  assert.equal(code, 0, err)
  return { Authorization: `Bearer ${out.trim()}` }
}

test('a daemon that asks: who has a key sells, Dead Nation signs, the journal knows who it was', async () => {
  const [boxOffice, operator] = [await createKey('boxoffice-1', 'box-office'), await createKey('ops', 'operator')]
  const operatorPort = String(await freePort())
  const env = {
    TURNSTILE_API_KEYS_FILE: file,
    TURNSTILE_WEBHOOK_SECRETS: `whsec_${Buffer.alloc(32, 4).toString('base64')},${webhookSecret}`,
    OPERATOR_PORT: operatorPort,
  }
  const daemon = await cluster.addDaemon(undefined, env)
  const client = new Client(daemon.url)
  const get = (route: string, headers = {}, url = daemon.url) => fetch(`${url}${route}`, { headers })

  const show = {
    dead_nation_id: '01900000-0000-7000-8000-0000000000dd',
    number_of_tickets: 10,
    start_time: '2027-01-01T20:00:00Z',
    title: 'The Hounds of Love',
    venue: 'Lyceum',
  }
  assert.equal((await client.post('/shows', show)).status, 401)
  assert.equal((await client.post('/shows', show, operator)).status, 403)
  const { show_id } = (await client.post('/shows', show, boxOffice)).body
  const booked = await client.book(String(show_id), 2, boxOffice)
  assert.equal(booked.status, 201)

  // Dead Nation confirms by its signed webhook; nobody else can.
  const forged = {
    tickets: [{ ticket_id: show_id, status: 'confirmed', price: { amount: '1.00' }, customer_email: 'a@b.org' }],
  }
  assert.equal((await client.post('/tickets-status', forged, { ...boxOffice, 'Idempotency-Key': 'k' })).status, 401)
  const ticketsOf = async (): Promise<{ ticket_id: string }[]> =>
    (await (await get('/tickets', boxOffice)).json()) as { ticket_id: string }[]
  await until('both tickets are confirmed', async () => (await ticketsOf()).length === 2)
  const [ticket] = await ticketsOf()
  assert.equal((await client.put(`/ticket-refund/${ticket?.ticket_id}`, boxOffice)).status, 202)

  const operators = `http://127.0.0.1:${operatorPort}`
  assert.equal((await get('/ops/bookings', operator)).status, 404)
  assert.equal((await get('/ops/bookings', operator, operators)).status, 200)
  assert.equal((await get('/ops/bookings', boxOffice, operators)).status, 403)
  assert.equal((await get('/metrics', {}, operators)).status, 200)

  const journal = async (kind: string, id: unknown) =>
    (await runCli({ POSTGRES_URL: cluster.env.POSTGRES_URL }, ['journal', 'show', kind, String(id)])).out
  // What follows from a request is in the name of whoever made it.
  assert.match(await journal('show', show_id), /ReserveSeats[\s\S]*asked by +key:boxoffice-1/)
  const life = await journal('ticket', ticket?.ticket_id)
  assert.match(life, /ConfirmTicket .*\n.*message.*\n +asked by webhook:dead-nation$/m)
  assert.match(life, /RefundTicket .*\n.*message.*\n +asked by key:boxoffice-1$/m)

  assert.equal((await runCli({}, ['keys', 'revoke', 'boxoffice-1', '--file', file])).code, 0)
  await until('the key is good no more', async () => (await get('/tickets', boxOffice)).status === 401)
  assert.equal((await get('/shows', operator)).status, 200)
  client.close()
})

test('a daemon that would let in everybody from everywhere does not start', async () => {
  const env = { ...cluster.env, PORT: '0', HOST: '0.0.0.0' }
  const { code, err } = await runCli(env, ['run'])
  assert.equal(code, 1)
  assert.match(err, /^HOST 0\.0\.0\.0 is reachable from beyond this machine/m)
})

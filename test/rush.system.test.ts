import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Client } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { checkInvariants } from './support/invariants.ts'

let cluster: Cluster
let client: Client
before(async () => {
  cluster = await startCluster()
  client = new Client((await cluster.addDaemon()).url, 200)
})
after(async () => {
  client.close()
  await cluster.stop()
})

test('ten seats, two hundred at once ask for three: exactly three get them', async () => {
  const show = await client.createShow(10)
  const answers = await Promise.all(Array.from({ length: 200 }, () => client.book(show, 3)))
  assert.equal(answers.filter(({ status }) => status === 201).length, 3)
  const refused = answers.filter(({ status }) => status === 400)
  assert.equal(refused.length, 197)
  for (const { body } of refused) assert.equal(body.type, '/problems/sold-out')

  const { body } = await client.get(`/shows/${show}`)
  assert.deepEqual([body.seats_reserved, body.seats_left], [9, 1])
  const [made] = await cluster.sql`select count(*)::int from actor where state->>'status' = 'made'`
  assert.equal(made?.count, 3)
  await checkInvariants(cluster)
})

test('a key is answered once: a hundred at once with the same one are one booking', async () => {
  const show = await client.createShow(1_000)
  const key = { 'Idempotency-Key': 'order 4711' }
  const answers = await Promise.all(Array.from({ length: 100 }, () => client.book(show, 2, key)))
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]))
  assert.equal(new Set(answers.map(({ body }) => body.booking_id)).size, 1)

  const other = await client.book(show, 3, key)
  assert.equal(other.status, 422)
  assert.equal((await client.get(`/shows/${show}`)).body.seats_reserved, 2)
})

test('a refusal is an answer too: the same key gets it again', async () => {
  const show = await client.createShow(1)
  const key = { 'Idempotency-Key': 'order 4712' }
  const [first, second] = [await client.book(show, 2, key), await client.book(show, 2, key)]
  assert.deepEqual([first?.status, second?.status], [400, 400])
  assert.equal(first?.body.detail, second?.body.detail)
})

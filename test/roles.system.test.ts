import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { projectFolder } from '../ops/sandbox/folders.ts'
import { Client } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { until } from './support/wait.ts'

/** Each role in a process of its own. */
let cluster: Cluster
before(async () => {
  cluster = await startCluster()
})
after(() => cluster.stop())

test('the database is migrated with its own settings alone', async () => {
  const { PATH, HOME } = process.env
  const env = { PATH, HOME, POSTGRES_URL: cluster.postgres.url }
  const args = ['--import', 'tsx', 'src/main.ts', 'migrate']
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: projectFolder, env })
  assert.match(stdout, /^Applied 0001/)
})

test('an ingress takes requests only while a worker is alive; every role tells of itself', async () => {
  const [effects, worker] = [await cluster.addDaemon('effects'), await cluster.addDaemon('worker')]
  const ingress = await cluster.addDaemon('ingress')
  const client = new Client(ingress.url)
  for (const { url } of [effects, worker]) {
    const own = new Client(url)
    assert.equal((await own.get('/health')).status, 200)
    assert.equal((await own.get('/metrics')).status, 200)
    assert.equal((await own.get('/shows/01900000-0000-7000-8000-0000000000dd')).status, 404)
    own.close()
  }
  const show = await client.createShow(10)
  assert.equal((await client.book(show)).status, 201)

  await worker.stop()
  await until('the ingress notices', async () => (await client.get('/health/ready')).status === 503)
  const refused = await client.book(show)
  assert.deepEqual([refused.status, refused.body.type], [503, '/problems/unavailable'])

  await worker.start()
  await until('it takes requests again', async () => (await client.get('/health/ready')).status === 200)
  assert.equal((await client.book(show)).status, 201)
  // What was refused was not kept for later.
  assert.equal((await client.get(`/shows/${show}`)).body.seats_reserved, 2)
  client.close()
})

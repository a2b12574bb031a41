import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { startDaemon } from '../ops/sandbox/daemon.ts'
import { Client } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { layOutImage, readDockerfile } from './support/image.ts'
import { checkInvariants } from './support/invariants.ts'
import { until } from './support/wait.ts'

let cluster: Cluster
let folder: string
before(async () => {
  folder = mkdtempSync(path.join(process.env.TEST_FOLDER ?? tmpdir(), 'image-'))
  await layOutImage(folder)
  cluster = await startCluster({ confirmAfterMs: 20 })
})
after(async () => {
  await cluster.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Node itself then refuses to write any file and to start any process, as a read-only root without a shell would. */
const readOnly = [
  Number(process.versions.node.split('.')[0]) >= 24 ? '--permission' : '--experimental-permission',
  '--allow-fs-read=*',
]

test('what the image holds sells tickets, writes no file, and says how it is', async () => {
  const [, entry] = instruction('ENTRYPOINT')
  const program = { cwd: folder, args: [entry ?? ''] }
  const daemon = await startDaemon({ env: { ...cluster.env, NODE_ENV: 'production' }, nodeArgs: readOnly, program })
  const client = new Client(daemon.url)
  try {
    const show = await client.createShow(10)
    const booked = await client.book(show, 2)
    assert.equal(booked.status, 201)
    const tickets = async () =>
      Object.keys((await client.get(`/bookings/${booked.body.booking_id}`)).body.tickets ?? {})
    await until('its tickets are confirmed', async () => (await tickets()).length === 2)
    const [, ...check] = instruction('HEALTHCHECK')
    const checkHealth = (env: Record<string, string>) => promisify(execFile)(process.execPath, check, { env })
    await checkHealth(cluster.env)
    await daemon.stop()
    assert.equal(daemon.process().exit()?.code, 0)
    await assert.rejects(checkHealth(cluster.env), { code: 1 })
    await checkInvariants(cluster)
  } finally {
    client.close()
    await daemon.stop()
  }
})

/** What the last stage of the Dockerfile says, as an array of words. */
function instruction(name: string): string[] {
  const last = [...readDockerfile().values()].at(-1)
  const [, rest = ''] = last?.lines.find(([instruction]) => instruction === name) ?? []
  return JSON.parse(rest.slice(rest.indexOf('[')))
}

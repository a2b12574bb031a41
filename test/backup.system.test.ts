import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { findLost, settledRecord, violationsOf } from '../ops/record.ts'
import { baseBackup, restoreBackup } from './support/backup.ts'
import { runCli } from './support/cli.ts'
import { Client, startLoad } from './support/client.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { until } from './support/wait.ts'

/** How many bookings there are at least before the backup begins; more of them make a longer run of it. */
const bookings = Number(process.env.BACKUP_BOOKINGS ?? 60)

let cluster: Cluster
let folder: string
before(async () => {
  folder = mkdtempSync(path.join(process.env.TEST_FOLDER ?? tmpdir(), 'backup-'))
  cluster = await startCluster({ confirmAfterMs: 50 })
})
after(async () => {
  await cluster.stop()
  rmSync(folder, { recursive: true, force: true })
})

test('a backup that was made under load is all it takes when Postgres and NATS are gone', async (t) => {
  const { sql, postgres, nats, env } = cluster
  const daemon = await cluster.addDaemon()
  const client = new Client(daemon.url)
  const shows = await Promise.all(Array.from({ length: 10 }, () => client.createShow(1_000_000)))
  const load = startLoad(client, shows, 8)
  await until('bookings are made', () => load.report.booked.length >= bookings, 60_000)

  const acknowledged = [...load.report.booked]
  const data = await baseBackup(sql, folder)
  const during = load.report.booked.length - acknowledged.length
  const total = () => load.report.booked.length
  const soFar = total()
  await until('more are made, which no backup has', () => total() >= soFar + 10, 60_000)
  await load.stop()
  await daemon.stop()
  await postgres.stop()
  await nats.stop()

  restoreBackup(folder, data)
  rmSync(nats.streamsFolder, { recursive: true })
  await postgres.start()
  await nats.start()
  await daemon.start()
  const lost = await findLost(sql, acknowledged)
  assert.deepEqual(lost, [])
  const lostLater = await findLost(sql, load.report.booked)
  assert.ok(lostLater.length > 0, 'the record is that of after the backup')

  const redriven = await runCli(env, ['redrive', '--older-than', '0s'])
  assert.equal(redriven.code, 0, redriven.err)
  assert.deepEqual(violationsOf(await settledRecord(postgres.url, 60_000)), [])
  const verified = await runCli(env, ['verify'])
  assert.equal(verified.code, 0, verified.out + verified.err)
  assert.equal((await client.book(shows[0] ?? '')).status, 201)
  client.close()

  t.diagnostic(
    `${acknowledged.length} bookings acknowledged before the backup, ${during} while it was made, ${lostLater.length} after it`,
  )
  t.diagnostic(`${lost.length} of the first are lost\n${redriven.out}\n${verified.out}`)
})

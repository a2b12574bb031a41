import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import postgres from 'postgres'
import { startNats } from '../ops/sandbox/nats.ts'
import { freePort } from '../ops/sandbox/ports.ts'
import { startPostgres } from '../ops/sandbox/postgres.ts'

const folder = mkdtempSync(path.join(process.env.TEST_FOLDER ?? tmpdir(), 'servers-'))
after(() => rmSync(folder, { recursive: true, force: true }))

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const sql = postgres(url, { max: 1 })
  try {
    return await sql.unsafe(text)
  } finally {
    await sql.end()
  }
}

test('Postgres, in a folder closed to others, keeps its data over kill -9, and tells of a broken folder', async (t) => {
  // As root Postgres runs as another user, who could not even enter this one.
  chmodSync(folder, 0o700)
  const options = {
    folder: path.join(folder, 'postgres'),
    port: await freePort(),
    logFile: path.join(folder, 'pg.log'),
  }
  const server = await startPostgres(options)
  t.after(() => server.stop())
  await query(server.url, 'create table kept as select 42 as answer')

  await server.kill()
  await assert.rejects(query(server.url, 'select 1'), { code: 'ECONNREFUSED' })
  await server.start()
  assert.deepEqual([...(await query(server.url, 'select answer from kept'))], [{ answer: 42 }])

  await assert.rejects(startPostgres({ ...options, port: await freePort() }), {
    code: 'broken-data',
    message: /still running/,
  })
  await server.stop()

  const pidFile = path.join(options.folder, 'data', 'postmaster.pid')
  // What a crash leaves behind, when the number has gone to an innocent process since.
  writeFileSync(pidFile, `${process.pid}\n${path.join(options.folder, 'data')}\n`)
  const again = await startPostgres(options)
  await again.stop()

  writeFileSync(path.join(options.folder, 'data', 'PG_VERSION'), 'garbage')
  await assert.rejects(startPostgres(options), {
    code: 'broken-data',
    message: /postgres\/data; .*npm start -- --fresh/,
  })
})

test('NATS keeps its streams over kill -9', async (t) => {
  const port = await freePort()
  const server = await startNats({ folder: path.join(folder, 'nats'), port, logFile: path.join(folder, 'nats.log') })
  t.after(() => server.stop())
  const before = await connect({ servers: server.url })
  t.after(() => before.close())
  await (await jetstreamManager(before)).streams.add({ name: 'kept', subjects: ['kept'] })
  await jetstream(before).publish('kept', 'hello')

  await server.kill()
  await server.start()

  const after = await connect({ servers: server.url })
  t.after(() => after.close())
  const stored = await (await jetstreamManager(after)).streams.getMessage('kept', { seq: 1 })
  assert.equal(stored?.string(), 'hello')
})

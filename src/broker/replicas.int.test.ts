import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { type NatsServer, startNats } from '../../ops/sandbox/nats.ts'
import { freePort } from '../../ops/sandbox/ports.ts'
import { testServer } from '../../test/support/environment.ts'
import { uniquePrefix } from '../../test/support/nats.ts'
import { until } from '../../test/support/wait.ts'
import { noTracer } from '../engine/trace-ports.ts'
import { hasCode } from '../errors.ts'
import { actorIn, commandTo, openReader, partitions, silent } from './broker.fixtures.ts'
import type { Broker } from './broker.ts'
import { openBroker } from './nats.ts'
import { Subjects } from './subjects.ts'

const prefix = uniquePrefix()
const { mailboxStream, eventStream, effectStream } = new Subjects(prefix, partitions)

const openOnce = (url: string, streamReplicas: number): Promise<Broker> =>
  openBroker({ url, prefix, partitions, eventDays: 7, eventMib: 0, streamReplicas, tracer: noTracer, log: silent })

/** Three servers on one busy machine may take longer to choose a leader than a start waits. */
async function open(url: string, streamReplicas: number): Promise<Broker> {
  const untilMs = performance.now() + 60_000
  for (;;) {
    try {
      return await openOnce(url, streamReplicas)
    } catch (error) {
      if (!hasCode(error, 'broker-unavailable') || performance.now() > untilMs) throw error
    }
  }
}

describe('the streams of a cluster of three', () => {
  let servers: NatsServer[]
  let folder: string
  let url: string
  before(async () => {
    folder = mkdtempSync(path.join(process.env.TEST_FOLDER ?? tmpdir(), 'nats-cluster-'))
    const ports = await Promise.all([freePort(), freePort(), freePort()])
    servers = await Promise.all(
      ports.map(async (port, index) =>
        startNats({
          folder: path.join(folder, String(index)),
          port: await freePort(),
          logFile: path.join(folder, `${index}.log`),
          prefix: '*',
          partitions,
          cluster: { port, ports },
        }),
      ),
    )
    url = servers.map((server) => server.url).join(',')
  })
  after(async () => {
    await Promise.all(servers.map((server) => server.stop()))
    rmSync(folder, { recursive: true, force: true })
  })

  it('are raised to what is asked for, and never lowered', async () => {
    for (const [asked, found] of [
      [1, 1],
      [3, 3],
      [1, 3],
    ] as const) {
      await (await open(url, asked)).close()
      for (const name of [mailboxStream, eventStream, effectStream]) {
        assert.equal((await look(name)).config.num_replicas, found, `${name} when ${asked} are asked for`)
      }
    }
  })

  it('go on with what they had stored when the server that leads them is killed', async () => {
    const broker = await open(url, 3)
    const id = actorIn(7)
    await broker.publisher.publish([commandTo(id, { index: 0 })])
    await until(
      'all three have it',
      async () => (await look(mailboxStream)).cluster?.replicas?.every((peer) => peer.current) === true,
      90_000,
    )
    const leader = (await look(mailboxStream)).cluster?.leader
    const killed = servers.find((server) => leader?.endsWith(new URL(server.url).port))
    assert.ok(killed, `there is no server ${leader}`)
    await killed.kill()
    await until(
      'another leads',
      async () => {
        const now = await look(mailboxStream).catch(() => undefined)
        return now?.cluster?.leader !== undefined && now.cluster.leader !== leader
      },
      90_000,
    )
    await broker.publisher.publish([commandTo(id, { index: 1 })])
    // While the cluster finds itself together again a consumer may not be made in time: the engine asks again, and so does this.
    let reader: Awaited<ReturnType<typeof openReader>> | undefined
    await until(
      'the mailbox can be read',
      async () => {
        reader = await openReader(broker.mailboxes, 7).catch(() => undefined)
        return reader !== undefined
      },
      90_000,
    )
    assert.equal((await reader?.takes(2))?.length, 2)
    await broker.close()
    await killed.start()
  })

  /** By a connection of its own, since any server may be the one that is down. */
  async function look(name: string) {
    const nats = await connect({ servers: url.split(','), timeout: 5_000 })
    try {
      return await (await jetstreamManager(nats)).streams.info(name)
    } finally {
      await nats.close()
    }
  }
})

it('a single server refuses replicas, in words', async () => {
  await assert.rejects(openOnce(testServer('TEST_NATS_URL'), 3), (error) => {
    assert.ok(hasCode(error, 'broker-unavailable'))
    assert.match(error.message, /replicas/)
    return true
  })
})

import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { until } from '../../test/support/wait.ts'
import type { Outgoing } from '../engine/ports.ts'
import { hasCode } from '../errors.ts'
import { actorIn, commandsTo, commandTo, effectOf, idsOf, openReader } from './broker.fixtures.ts'
import { type NatsHarness, type OwnNats, openOn, startOwnNats } from './nats.fixtures.ts'

describe('when nats-server', () => {
  let server: OwnNats
  let harness: NatsHarness
  before(async () => {
    server = await startOwnNats()
  })
  after(() => server.remove())
  beforeEach(async () => {
    harness = await openOn(server.url)
  })
  afterEach(async () => {
    // Where a test has failed, the others are not to find it stopped.
    server.process().signal('SIGCONT')
    await harness.close()
  })

  const kill = async (): Promise<void> => {
    await server.kill()
    await until('we notice', () => !harness.broker.isConnected)
  }

  /** The signal alone says nothing of when the last of its threads stands. */
  const freeze = async (): Promise<void> => {
    const { pid, signal } = server.process()
    signal('SIGSTOP')
    await until('the server stands still', () => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') T '))
  }

  const restart = async (): Promise<void> => {
    await server.start()
    await until('we are connected again', () => harness.broker.isConnected)
  }

  it('is killed and comes back, everything goes on', async () => {
    const { mailboxes, publisher, requests, effects } = harness.broker
    const sent = commandsTo(actorIn(1), 6)
    const handled: string[] = []
    await effects.consume('dead-nation', 2, async (effect) => {
      await effect.done()
      handled.push(effect.messageId)
    })
    await publisher.publish(sent.slice(0, 2))
    const first = await openReader(mailboxes, 1)
    const cursor = (await first.takes(2)).at(-1)?.sequence
    await publisher.publish(sent.slice(2, 4))

    await kill()
    const effect = effectOf()
    const publishing = publisher.publish([...sent.slice(4), effect])
    await assert.rejects(requests.send(commandTo(actorIn(1)), 1_000), (error) => hasCode(error, 'broker-unavailable'))
    await assert.rejects(openReader(mailboxes, 1), (error) => hasCode(error, 'broker-unavailable'))
    await server.start()

    await until('the reading is lost', () => first.lost.length === 1, 3_000)
    const second = await openReader(mailboxes, 1, 1, cursor)
    assert.equal(second.mailbox.stream.id, first.mailbox.stream.id)
    assert.deepEqual(idsOf(await second.takes(4)), idsOf(sent.slice(2)))
    await publishing
    await until('effects are handled again', () => handled.length === 1, 3_000)
    assert.deepEqual(handled, [effect.messageId])
    assert.equal(first.lost.length, 1)
  })

  it('is killed in the middle of publishing, all is stored, once', async () => {
    const { mailboxes, publisher } = harness.broker
    const sent = commandsTo(actorIn(2), 6_000)
    let done = 0
    const publishing = Array.from({ length: 60 }, async (_, index) => {
      await publisher.publish(sent.slice(index * 100, index * 100 + 100))
      done += 1
    })
    await publishing[0]
    await kill()
    assert.ok(done < 60, 'everything was stored before the server died')
    await restart()
    await Promise.all(publishing)
    const reader = await openReader(mailboxes, 2)
    const got = await reader.takes(6_000)
    assert.deepEqual(idsOf(got).sort(), idsOf(sent).sort())
    assert.equal(reader.mailbox.lag + reader.mailbox.waiting, 0)
  })

  it('goes silent, a request gives up in time and a reading ends', async () => {
    const { mailboxes, requests } = harness.broker
    const reader = await openReader(mailboxes, 3)
    await freeze()
    const startedMs = performance.now()
    await assert.rejects(requests.send(commandTo(actorIn(3)), 500), (error) => hasCode(error, 'broker-timeout'))
    assert.ok(performance.now() - startedMs < 2_000)
    await until('the reading is lost', () => reader.lost.length === 1)
    server.process().signal('SIGCONT')
    await until('it can be read again', () => openReader(mailboxes, 3).then(Boolean, () => false))
  })

  it('dies with a request in hand, nobody waits for its answer', async () => {
    await freeze()
    let failure: unknown
    harness.broker.requests.send(commandTo(actorIn(5)), 60_000).catch((error) => {
      failure = error
    })
    await kill()
    await until('the request has failed', () => hasCode(failure, 'broker-timeout'))
    await restart()
  })

  it('dies with an effect that it may have stored, the effect says so when it is told again', async () => {
    const { publisher, effects } = harness.broker
    const seen: boolean[] = []
    await effects.consume('payments', 1, async ({ mayBeRepeat, done }) => {
      seen.push(mayBeRepeat)
      await done()
    })
    const effect = (): Outgoing => ({ ...effectOf(), service: 'payments' })
    await publisher.publish([effect()])
    await until('the first is handed over', () => seen.length === 1)
    await freeze()
    const publishing = publisher.publish([effect()])
    await kill()
    await restart()
    await publishing
    await until('it is handed over', () => seen.length === 2)
    assert.deepEqual(seen, [false, true])
  })

  it('dies with an effect in its queue, it may have been handed over before and says so', async () => {
    const { publisher, effects } = harness.broker
    const seen: [string, boolean][] = []
    const consumer = await effects.consume('files', 1, async ({ messageId, mayBeRepeat, done }) => {
      seen.push([messageId, mayBeRepeat])
      await done()
    })
    const [first, second] = [effectOf(), effectOf()].map((effect) => ({ ...effect, service: 'files' as const }))
    await publisher.publish([first as Outgoing])
    await until('the first is handed over', () => seen.length === 1)
    consumer.limit(0)
    await kill()
    await restart()
    await publisher.publish([second as Outgoing])
    consumer.limit(1)
    await until('the second is handed over', () => seen.length >= 2)
    assert.deepEqual(seen.slice(0, 1), [[first?.messageId, false]])
    assert.deepEqual(seen.at(-1), [second?.messageId, true])
  })

  it('comes back after a purge and an erasure of the last message, the stream goes on counting', async () => {
    const { broker, manager, subjects } = harness
    for (const partition of [5, 6, 7]) await broker.publisher.publish([commandTo(actorIn(partition))])
    const { lastSequence } = (await broker.mailboxes.streams()).mailbox
    await manager.streams.deleteMessage(subjects.mailboxStream, lastSequence)
    await broker.mailboxes.purge(lastSequence)
    assert.equal((await manager.streams.info(subjects.mailboxStream)).state.messages, 1)
    await kill()
    await restart()
    assert.equal((await broker.mailboxes.streams()).mailbox.lastSequence, lastSequence)
  })

  it('comes back without its data, the streams are made again', async () => {
    const { mailboxes, publisher } = harness.broker
    const before = (await mailboxes.streams()).mailbox.id
    const reader = await openReader(mailboxes, 4)
    await kill()
    rmSync(server.streamsFolder, { recursive: true })
    await restart()
    await until('the reading is lost', () => reader.lost.length === 1)
    assert.notEqual((await mailboxes.streams()).mailbox.id, before)
    await publisher.publish([commandTo(actorIn(4)), effectOf()])
  })

  it('comes back without its data, what was in hand takes nothing of the new off the queue', async () => {
    const { publisher, effects } = harness.broker
    const handled: string[] = []
    let finish = (): void => {}
    const finished = new Promise<void>((resolve) => (finish = resolve))
    await effects.consume('dead-nation', 1, async ({ messageId, done }) => {
      handled.push(messageId)
      if (handled.length === 1) await finished
      await done()
    })
    await publisher.publish([effectOf()])
    await until('it is in hand', () => handled.length === 1)
    await kill()
    rmSync(server.streamsFolder, { recursive: true })
    await restart()
    const sent = [effectOf(), effectOf(), effectOf()]
    await publisher.publish(sent)
    finish()
    await until('all are handed over', () => handled.length === 4)
    assert.deepEqual(handled.slice(1), idsOf(sent))
  })
})

import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { nanos } from '@nats-io/transport-node'
import { testServer } from '../../test/support/environment.ts'
import { deleteStreams } from '../../test/support/nats.ts'
import { noTracer } from '../engine/trace-ports.ts'
import { hasCode } from '../errors.ts'
import { partitions, silent } from './broker.fixtures.ts'
import { type NatsHarness, openOn } from './nats.fixtures.ts'
import { openBroker } from './nats.ts'

const url = testServer('TEST_NATS_URL')

describe('the streams', () => {
  let harness: NatsHarness
  beforeEach(async () => {
    harness = await openOn(url)
  })
  afterEach(() => harness.close())

  const open = (changes = {}) =>
    openBroker({
      url,
      prefix: harness.prefix,
      partitions,
      eventDays: 7,
      eventMib: 0,
      streamReplicas: 1,
      tracer: noTracer,
      log: silent,
      ...changes,
    })

  it('are what correctness needs', async () => {
    const { manager, subjects } = harness
    const { config: mailbox } = await manager.streams.info(subjects.mailboxStream)
    assert.equal(mailbox.retention, 'limits')
    assert.equal(mailbox.discard, 'new')
    assert.equal(mailbox.storage, 'file')
    assert.equal(mailbox.duplicate_window, nanos(120_000))
    assert.ok(mailbox.max_bytes > 0)
    assert.equal((await manager.streams.info(subjects.eventStream)).config.max_age, nanos(7 * 86_400_000))
    assert.equal((await manager.streams.info(subjects.effectStream)).config.retention, 'workqueue')
  })

  it('can be made by several at once', async () => {
    await deleteStreams(harness.connection, harness.prefix)
    const brokers = await Promise.all([open(), open(), open(), open()])
    const identities = (await Promise.all(brokers.map(({ mailboxes }) => mailboxes.streams()))).map(
      ({ mailbox }) => mailbox.id,
    )
    assert.equal(new Set(identities).size, 1)
    await Promise.all(brokers.map((broker) => broker.close()))
  })

  it('refuse another number of partitions, and name both', async () => {
    await assert.rejects(open({ partitions: 16 }), (error) => {
      assert.ok(hasCode(error, 'partitions-mismatch'))
      assert.match(error.message, /64.*16/)
      return true
    })
  })

  it('keep what operators set, and get back what is ours', async () => {
    const { manager, subjects } = harness
    const theirs = { max_bytes: 50_000_000, max_msgs: 1_000 }
    await manager.streams.update(subjects.mailboxStream, {
      ...theirs,
      discard: 'old',
      subjects: [`${harness.prefix}.mbx.>`],
    })
    await (await open({ eventDays: 2, eventMib: 3 })).close()
    const { config } = await manager.streams.info(subjects.mailboxStream)
    assert.deepEqual([config.max_bytes, config.max_msgs, config.discard], [50_000_000, 1_000, 'new'])
    const { config: events } = await manager.streams.info(subjects.eventStream)
    assert.deepEqual([events.max_age, events.max_bytes], [nanos(2 * 86_400_000), 3 * 1_048_576])
  })

  it('are made again, with another identity, when somebody deletes them', async () => {
    const { mailboxes } = harness.broker
    const before = (await mailboxes.streams()).mailbox.id
    await harness.manager.streams.delete(harness.subjects.mailboxStream)
    const lost = () => {}
    await assert.rejects(mailboxes.open(0, 1, 10, { ready() {}, lost }))
    const mailbox = await mailboxes.open(0, 1, 10, { ready() {}, lost })
    assert.notEqual(mailbox.stream.id, before)
    assert.deepEqual(mailbox.stream, (await mailboxes.streams()).mailbox)
  })
})

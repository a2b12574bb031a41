import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import net from 'node:net'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { AckPolicy } from '@nats-io/jetstream'
import { headers, nanos } from '@nats-io/transport-node'
import { until } from '../../test/support/wait.ts'
import { actorIn, commandsTo, commandTo, effectOf, idsOf, openReader, partitions, silent } from './broker.fixtures.ts'
import { Connection } from './connection.ts'
import { type NatsHarness, openOn } from './nats.fixtures.ts'
import { Pull } from './pull.ts'

/** What matters on real servers only, whatever their version. */
export function natsFeatures(name: string, url: () => string): void {
  describe(`${name}: on the wire`, () => {
    let harness: NatsHarness
    beforeEach(async () => {
      harness = await openOn(url())
    })
    afterEach(() => harness.close())

    it('our partition of an id is the server’s, and all 64 are opened together', async () => {
      const { broker, prefix } = harness
      const ids = Array.from({ length: 300 }, () => randomUUID())
      await Promise.all(ids.map((id) => harness.publish(`${prefix}.cmd.show.${id}.ByServer`)))
      await broker.publisher.publish(ids.map((id) => commandTo(id)))
      const readers = await Promise.all(
        Array.from({ length: partitions }, (_, partition) => openReader(broker.mailboxes, partition)),
      )
      const seen = new Map<string, string[]>()
      for (const { mailbox, takes } of readers) {
        for (const { partition, to, type } of await takes(mailbox.lag + mailbox.waiting)) {
          seen.set(to.id, [...(seen.get(to.id) ?? []), `${type} in ${partition}`])
        }
      }
      for (const id of ids) {
        const partition = commandPartition(harness, id)
        assert.deepEqual(seen.get(id), [`ByServer in ${partition}`, `DeadNationAccepted in ${partition}`])
      }
    })

    it('lives with headers that no library would write', async () => {
      const { broker, prefix } = harness
      const id = actorIn(6)
      const headers = 'NATS/1.0\r\nodd näme: x\r\nBroken: a\nb\r\n: \r\nno colon\r\n\r\n'
      await publishRaw(url(), `${prefix}.mbx.6.booking.${id}.CancelBooking`, headers, '{}')
      await broker.publisher.publish([commandTo(id)])
      const { takes, lost } = await openReader(broker.mailboxes, 6)
      const [odd, next] = await takes(2)
      assert.deepEqual([odd?.type, odd?.headers, next?.type], ['CancelBooking', {}, 'DeadNationAccepted'])
      assert.deepEqual(lost, [])
    })

    it('acknowledges lazily, and deletes its consumer when it closes', async () => {
      const { broker, manager, subjects } = harness
      await broker.publisher.publish(commandsTo(actorIn(7), 10))
      const { mailbox, takes } = await openReader(broker.mailboxes, 7, 3)
      await takes(6)
      const consumer = () => manager.consumers.info(subjects.mailboxStream, 'w7-3')
      await until('the server knows', async () => (await consumer()).ack_floor.consumer_seq === 6)
      assert.equal((await consumer()).config.ack_policy, AckPolicy.All)
      await mailbox.close()
      await assert.rejects(consumer())
    })

    it('notices at once that its consumer is gone, and reads on with a new one', async () => {
      const { broker, manager, subjects } = harness
      const sent = commandsTo(actorIn(1), 4)
      await broker.publisher.publish(sent.slice(0, 2))
      const first = await openReader(broker.mailboxes, 1)
      const cursor = (await first.takes(2)).at(-1)?.sequence
      await manager.consumers.delete(subjects.mailboxStream, 'w1-1')
      await until('the reading is lost', () => first.lost.length === 1, 1_000)
      await broker.publisher.publish(sent.slice(2))
      const second = await openReader(broker.mailboxes, 1, 1, cursor)
      assert.deepEqual(idsOf(await second.takes(2)), idsOf(sent.slice(2)))
    })

    it('ends a reading when a message comes a second time', async () => {
      const { broker, manager, subjects } = harness
      const reader = await openReader(broker.mailboxes, 5)
      await manager.consumers.update(subjects.mailboxStream, 'w5-1', { ack_wait: nanos(200) })
      await broker.publisher.publish(commandsTo(actorIn(5), 3))
      await until('the reading is lost', () => reader.lost.length === 1)
      assert.match(reader.lost[0]?.message ?? '', /for the 2. time/)
      assert.deepEqual(reader.mailbox.take(10), [])
    })

    it('takes messages of any size, within a bound in bytes', async () => {
      const { broker, manager, subjects } = harness
      const sent = Array.from({ length: 12 }, (_, index) =>
        commandTo(actorIn(2), { index, ballast: 'x'.repeat(900_000) }),
      )
      await broker.publisher.publish(sent)
      const { mailbox, takes } = await openReader(broker.mailboxes, 2)
      await until('as much is here as may be', () => mailbox.waiting === 4)
      const { delivered, num_waiting: asking } = await manager.consumers.info(subjects.mailboxStream, 'w2-1')
      assert.deepEqual([delivered.consumer_seq, asking], [4, 0])
      const got: string[] = []
      while (got.length < sent.length) {
        assert.ok(mailbox.waiting <= 6, `${mailbox.waiting} are waiting`)
        got.push(...idsOf(await takes(1)))
      }
      assert.deepEqual(got, idsOf(sent))
    })

    it('takes one that is larger than all that it wanted', async () => {
      const { broker, manager, subjects, connection } = harness
      const stream = subjects.mailboxStream
      await broker.publisher.publish([commandTo(actorIn(3), { ballast: 'x'.repeat(50_000) }), commandTo(actorIn(3))])
      await manager.consumers.add(stream, { durable_name: 'small', ack_policy: AckPolicy.Explicit })
      const sizes: number[] = []
      const broken: Error[] = []
      const pull = new Pull(new Connection(connection, silent), stream, 'small', {
        message: ({ data }) => sizes.push(data.length),
        ended: () => pull.ask(1, 10_000),
        broken: (cause) => broken.push(cause),
      })
      pull.ask(1, 10_000)
      await until('the large one is here', () => sizes.length === 1)
      assert.ok((sizes[0] ?? 0) > 50_000)
      assert.deepEqual(broken, [])
      pull.close()
    })

    it('takes the end of a request for the end of that one alone', async () => {
      const { connection } = harness
      const replies: string[] = []
      connection.subscribe('$JS.API.CONSUMER.MSG.NEXT.nowhere.late', {
        callback: (_, { reply = '' }) => {
          replies.push(reply)
          const completed = headers(409, 'Batch Completed')
          if (replies.length === 1) connection.publish(reply, '', { headers: completed })
          // The end of the first, late; and something that comes behind it.
          if (replies.length === 2) connection.publish(replies[0] ?? '', '', { headers: completed })
          if (replies.length === 2) connection.publish('seen')
        },
      })
      let ends = 0
      const broken: Error[] = []
      const pull = new Pull(new Connection(connection, silent), 'nowhere', 'late', {
        message: () => {},
        ended: () => {
          ends += 1
          pull.ask(7, 10_000)
        },
        broken: (cause) => broken.push(cause),
      })
      const seen = connection.subscribe('seen', { max: 1 })
      pull.ask(5, 10_000)
      for await (const _ of seen) break
      await connection.flush()
      assert.deepEqual([ends, pull.outstanding, replies.length, broken], [1, 7, 2, []])
      pull.close()
    })

    it('makes the consumer of effects again when somebody deletes it', async () => {
      const { broker, manager, subjects } = harness
      const handled: string[] = []
      await broker.effects.consume('dead-nation', 1, async (effect) => {
        await effect.done()
        handled.push(effect.messageId)
      })
      const sent = [effectOf(), effectOf()]
      await broker.publisher.publish(sent.slice(0, 1))
      const isEmpty = async () => (await manager.streams.info(subjects.effectStream)).state.messages === 0
      await until('the first is off the queue', async () => handled.length === 1 && (await isEmpty()))
      await manager.consumers.delete(subjects.effectStream, 'dead-nation')
      await broker.publisher.publish(sent.slice(1))
      await until('the second is handled', () => handled.length === 2)
      assert.deepEqual(handled, idsOf(sent))
    })

    it('hands an effect to another process when the first one says nothing', async () => {
      const { broker, manager, subjects } = harness
      const attempts: number[] = []
      await broker.effects.consume('dead-nation', 1, async (effect) => {
        attempts.push(effect.attempt)
        await new Promise(() => {})
      })
      await broker.publisher.publish([effectOf()])
      await until('the first has it', () => attempts.length === 1)
      await manager.consumers.update(subjects.effectStream, 'dead-nation', { ack_wait: nanos(300) })
      const other = await harness.connect()
      await other.effects.consume('dead-nation', 1, async (effect) => {
        attempts.push(effect.attempt)
        await effect.done()
      })
      await until('the other gets it', () => attempts.length === 2)
      assert.deepEqual(attempts, [1, 2])
      await until('the queue is empty', async () => {
        return (await manager.streams.info(subjects.effectStream)).state.messages === 0
      })
    })
  })
}

const commandPartition = ({ subjects }: NatsHarness, id: string): string | undefined =>
  subjects.command({ kind: 'show', id }, 'X').split('.')[2]

/** A client without manners. Resolves once the server has taken it. */
function publishRaw(url: string, subject: string, headers: string, body: string): Promise<void> {
  const { hostname, port } = new URL(url)
  const length = Buffer.byteLength(headers)
  const publish = `HPUB ${subject} ${length} ${length + body.length}\r\n${headers}${body}\r\n`
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), hostname, () => {
      socket.write(`CONNECT {"verbose":false,"headers":true}\r\n${publish}PING\r\n`)
    })
    socket.on('error', reject)
    socket.on('data', (data) => {
      if (!data.toString().includes('PONG')) return
      socket.destroy()
      resolve()
    })
  })
}

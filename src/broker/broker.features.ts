import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../test/support/wait.ts'
import { isUuid } from '../actor/ids.ts'
import type { Answer, DeadLetter, EffectDelivery } from '../engine/ports.ts'
import { hasCode } from '../errors.ts'
import { actorIn, bodyOf, commandsTo, commandTo, effectOf, idsOf, openReader } from './broker.fixtures.ts'
import type { Broker } from './broker.ts'
import type { Headers } from './headers.ts'
import type { PlainMessage } from './memory.ts'

/** A broker with 64 partitions, and what a test cannot do through its ports. */
export type BrokerHarness = {
  prefix: string
  broker: Broker
  /** Another process. The harness closes it. */
  connect(): Promise<Broker>
  /** Publishes as an outside client, to a subject that a stream takes. */
  publish(subject: string, headers?: Headers, body?: string | Uint8Array): Promise<void>
  /** Collects everything that is published below the subject from now on. */
  subscribe(below: string): Promise<PlainMessage[]>
  /** The most messages that the mailboxes hold. */
  limitMailboxes(messages: number): Promise<void>
  close(): Promise<void>
}

/** What every broker does, whatever it is made of. */
export function brokerFeatures(name: string, open: () => Promise<BrokerHarness>): void {
  describe(`${name}: a broker`, () => {
    let harness: BrokerHarness
    let broker: Broker
    beforeEach(async () => {
      harness = await open()
      broker = harness.broker
    })
    afterEach(() => harness.close())

    describe('mailboxes', () => {
      it('hand over what was published, as it was published', async () => {
        const before = Date.now()
        const sent = commandTo(actorIn(3), { tickets: 2 }, { causationId: randomUUID(), fingerprint: 'digest' })
        await broker.publisher.publish([sent])
        const [got] = await (await openReader(broker.mailboxes, 3)).takes(1)
        assert.ok(got)
        const { partition, to, type, messageId, meta } = got
        const { address, command, meta: sentMeta } = sent
        assert.deepEqual(
          { partition, to, type, messageId, meta },
          { partition: 3, to: address, type: command.type, messageId: sent.messageId, meta: sentMeta },
        )
        assert.deepEqual(bodyOf(got), { tickets: 2 })
        assert.equal(got.headers['Nats-Msg-Id'], sent.messageId)
        assert.ok(got.at >= before - 1_000 && got.at <= Date.now() + 1_000, `stored at ${got.at}`)
      })

      it('keep the order of a partition, whoever the messages are for, and leave out the others', async () => {
        const [anna, bert, carl] = [
          commandsTo(actorIn(5), 300),
          commandsTo(actorIn(5), 300),
          commandsTo(actorIn(6), 300),
        ]
        const mixed = anna.flatMap((message, index) => [message, bert[index] ?? message, carl[index] ?? message])
        await broker.publisher.publish(mixed)
        const reader = await openReader(broker.mailboxes, 5)
        const got = await reader.takes(600)
        const expected = mixed.filter((message) => !carl.includes(message))
        assert.deepEqual(idsOf(got), idsOf(expected))
        assert.ok(got.every(({ sequence }, index) => sequence > (got[index - 1]?.sequence ?? 0)))
        assert.equal(reader.mailbox.waiting, 0)
      })

      it('go on exactly behind the cursor', async () => {
        const sent = commandsTo(actorIn(0), 5)
        await broker.publisher.publish(sent)
        const first = await openReader(broker.mailboxes, 0)
        const [, , third] = await first.takes(3)
        await first.mailbox.close()
        const second = await openReader(broker.mailboxes, 0, 1, third?.sequence)
        assert.equal(second.mailbox.lag + second.mailbox.waiting, 2)
        assert.deepEqual(idsOf(await second.takes(2)), idsOf(sent.slice(3)))
      })

      it('say when there is something, and how much lies behind', async () => {
        const actor = actorIn(1)
        const reader = await openReader(broker.mailboxes, 1)
        assert.equal(reader.mailbox.lag, 0)
        for (const round of [1, 2, 3]) {
          await broker.publisher.publish(commandsTo(actor, 2))
          await until('it is ready', () => reader.readies >= round)
          await reader.takes(2)
        }
        await broker.publisher.publish(commandsTo(actor, 700))
        const late = await openReader(broker.mailboxes, 1, 2)
        await until('as much is here as may be', () => late.mailbox.waiting === 512)
        assert.equal(late.mailbox.lag, 706 - 512)
      })

      it('say how long the oldest has waited', async () => {
        const { mailbox, takes } = await openReader(broker.mailboxes, 12)
        assert.equal(mailbox.oldestAt, undefined)
        await broker.publisher.publish(commandsTo(actorIn(12), 3))
        await until('all are here', () => mailbox.waiting === 3)
        const first = mailbox.oldestAt
        const [taken] = await takes(1)
        assert.equal(first, taken?.at)
        await takes(2)
        assert.equal(mailbox.oldestAt, undefined)
      })

      it('prefetch within a bound', async () => {
        const sent = commandsTo(actorIn(2), 2_000)
        await broker.publisher.publish(sent)
        const { mailbox, takes } = await openReader(broker.mailboxes, 2)
        const got: string[] = []
        while (got.length < sent.length) {
          await until('there is more', () => mailbox.waiting > 0)
          assert.ok(mailbox.waiting <= 512, `${mailbox.waiting} are waiting`)
          got.push(...idsOf(await takes(Math.min(mailbox.waiting, 97))))
        }
        assert.deepEqual(got, idsOf(sent))
      })

      it('shut out a reader when a later epoch comes', async () => {
        const actor = actorIn(4)
        const zombie = await openReader(broker.mailboxes, 4, 7)
        const heir = await openReader((await harness.connect()).mailboxes, 4, 8)
        await until('the zombie notices', () => zombie.lost.length > 0)
        await broker.publisher.publish([commandTo(actor)])
        await heir.takes(1)
        assert.deepEqual(zombie.mailbox.take(10), [])
        assert.equal(zombie.lost.length, 1)
        assert.ok(hasCode(zombie.lost[0], 'mailbox-lost'))
        assert.deepEqual(heir.lost, [])
      })

      it('can be opened again with the same epoch', async () => {
        const sent = commandsTo(actorIn(8), 10)
        await broker.publisher.publish(sent)
        const first = await openReader(broker.mailboxes, 8, 3)
        const cursor = (await first.takes(4)).at(-1)?.sequence
        const second = await openReader(broker.mailboxes, 8, 3, cursor)
        assert.deepEqual(idsOf(await second.takes(6)), idsOf(sent.slice(4)))
        await until('the first one ends', () => first.lost.length === 1)
        assert.deepEqual(second.lost, [])
      })

      it('are silent once closed', async () => {
        const reader = await openReader(broker.mailboxes, 9)
        await reader.mailbox.close()
        await reader.mailbox.close()
        const heir = await openReader(broker.mailboxes, 9)
        await broker.publisher.publish([commandTo(actorIn(9))])
        await heir.takes(1)
        assert.deepEqual([reader.mailbox.waiting, reader.readies, reader.lost], [0, 0, []])
      })

      it('forget what lies before a sequence, and nothing else', async () => {
        const [here, there] = [commandsTo(actorIn(10), 5), commandsTo(actorIn(11), 5)]
        for (const [index, message] of here.entries()) {
          await broker.publisher.publish([message])
          await broker.publisher.publish(there.slice(index, index + 1))
        }
        const reader = await openReader(broker.mailboxes, 10)
        const third = (await reader.takes(3)).at(-1)?.sequence ?? 0
        await broker.mailboxes.purge(third)
        assert.deepEqual(idsOf(await reader.takes(2)), idsOf(here.slice(3)))
        assert.deepEqual(idsOf(await (await openReader(broker.mailboxes, 10, 2)).takes(3)), idsOf(here.slice(2)))
        assert.deepEqual(idsOf(await (await openReader(broker.mailboxes, 11, 2)).takes(3)), idsOf(there.slice(2)))
      })

      it('forget nothing when there is nothing before, and never the last', async () => {
        const sent = commandsTo(actorIn(13), 3)
        await broker.publisher.publish(sent)
        for (const sequence of [0, 1]) await broker.mailboxes.purge(sequence)
        const [first, , last] = await (await openReader(broker.mailboxes, 13)).takes(3)
        await broker.mailboxes.purge(1_000_000)
        assert.deepEqual(idsOf(await (await openReader(broker.mailboxes, 13, 2)).takes(1)), idsOf(sent.slice(2)))
        assert.equal((await broker.mailboxes.streams()).mailbox.lastSequence, last?.sequence)
        assert.equal(await broker.mailboxes.firstBehind(13, first?.sequence ?? 0), last?.sequence)
      })

      it('say which message of a partition comes next', async () => {
        const { mailboxes } = broker
        assert.equal(await mailboxes.firstBehind(14, 0), undefined)
        const [here, there] = [commandsTo(actorIn(14), 2), commandsTo(actorIn(15), 2)]
        for (const message of [there[0], here[0], there[1], here[1]])
          await broker.publisher.publish(message ? [message] : [])
        const [one, two] = (await (await openReader(mailboxes, 14)).takes(2)).map(({ sequence }) => sequence)
        const behind = async (cursor = 0) => mailboxes.firstBehind(14, cursor)
        assert.deepEqual([await behind(0), await behind(one), await behind(two)], [one, two, undefined])
      })

      it('are offered to everybody who listens', async () => {
        const other = (await harness.connect()).mailboxes
        const heard: string[] = []
        const end = broker.mailboxes.onOffer(() => heard.push('one'))
        other.onOffer(() => heard.push('other'))
        other.offer()
        await until('both hear it', () => heard.length === 2)
        end()
        broker.mailboxes.offer()
        await until('one has stopped listening', () => heard.length === 3)
        assert.deepEqual(heard.slice(2), ['other'])
      })

      it('name their stream and where it ends, the same for all', async () => {
        await broker.publisher.publish([commandTo(actorIn(12))])
        const state = await broker.mailboxes.streams()
        assert.deepEqual(await (await harness.connect()).mailboxes.streams(), state)
        const { mailbox, takes } = await openReader(broker.mailboxes, 12)
        assert.deepEqual(mailbox.stream, state.mailbox)
        assert.equal((await takes(1)).at(-1)?.sequence, state.mailbox.lastSequence)
      })
    })

    describe('commands of outside clients', () => {
      const publishAndRead = async (headers: Headers, body?: string | Uint8Array) => {
        const id = actorIn(20)
        await harness.publish(`${harness.prefix}.cmd.booking.${id}.CancelBooking`, headers, body)
        const [got] = await (await openReader(broker.mailboxes, 20)).takes(1)
        const [again] = await (await openReader(broker.mailboxes, 20, 2)).takes(1)
        assert.ok(got)
        assert.deepEqual(again, got)
        assert.deepEqual(got.to, { kind: 'booking', id })
        assert.equal(got.type, 'CancelBooking')
        return got
      }

      it('get an id and a story when they have none', async () => {
        const got = await publishAndRead({}, '{}')
        assert.ok(isUuid(got.messageId))
        assert.deepEqual(got.meta, { correlationId: got.messageId })
      })

      it('keep a UUID in lower case, and get one made from any other id', async () => {
        const id = randomUUID()
        assert.equal((await publishAndRead({ 'Nats-Msg-Id': id.toUpperCase() })).messageId, id)
        await broker.publisher.publish([commandTo(actorIn(22))])
        await broker.mailboxes.purge(1_000_000)
        const odd = await publishAndRead({ 'Nats-Msg-Id': 'order/17 of Müller' })
        assert.ok(isUuid(odd.messageId))
      })

      it('have their headers read in any case, and without what makes no sense', async () => {
        const { meta, headers } = await publishAndRead({
          'Correlation-Id': 'story-1',
          'causation-id': 'x'.repeat(300),
          'asked-by': 'key:shop',
          'Reply-To': 'answers.here',
          'Request-ID': 'not a uuid',
        })
        const { requestId, ...rest } = meta
        assert.deepEqual(rest, { correlationId: 'story-1', askedBy: 'key:shop', replyTo: 'answers.here' })
        assert.ok(isUuid(requestId ?? ''))
        assert.equal(headers['Request-ID'], 'not a uuid')
      })

      it('may be nonsense, and are handed over all the same', async () => {
        const garbage = Uint8Array.from([0, 255, 254, 10, 13, 0, 195])
        assert.deepEqual(Buffer.from((await publishAndRead({}, garbage)).payload), Buffer.from(garbage))
        await harness.publish(`${harness.prefix}.mbx.21.only`)
        await harness.publish(`${harness.prefix}.mbx.21.a.b.c.d.e`)
        const got = await (await openReader(broker.mailboxes, 21)).takes(2)
        const read = got.map(({ to, type }) => [to.kind, to.id, type])
        assert.deepEqual(read, [
          ['only', '', ''],
          ['a', 'b', 'c.d.e'],
        ])
      })
    })

    describe('a publisher', () => {
      it('resolves once everything is stored', async () => {
        await broker.publisher.publish([])
        await broker.publisher.publish(commandsTo(actorIn(30), 1_000))
        const { mailbox } = await openReader(broker.mailboxes, 30)
        assert.equal(mailbox.lag + mailbox.waiting, 1_000)
      })

      it('publishes twice what is stored once', async () => {
        const sent = commandsTo(actorIn(31), 3)
        await broker.publisher.publish(sent)
        await broker.publisher.publish([...sent, ...sent])
        const { mailbox, takes } = await openReader(broker.mailboxes, 31)
        assert.equal(mailbox.lag + mailbox.waiting, 3)
        assert.deepEqual(idsOf(await takes(3)), idsOf(sent))
      })

      it('brings a dead command back to its mailbox: byte for byte, under its own id, once a round', async () => {
        const { address, messageId, command, meta } = commandTo(actorIn(35))
        const { type } = command
        await broker.publisher.publish([{ to: 'mailbox', address, messageId, command, meta }])
        const payload = Uint8Array.from([123, 0, 255, 195, 125])
        for (const round of [1, 1, 2])
          await broker.publisher.publish([{ to: 'origin', address, type, payload, messageId, round, meta }])
        const { mailbox, takes } = await openReader(broker.mailboxes, 35)
        const [first, ...again] = await takes(3)
        assert.equal(mailbox.lag + mailbox.waiting, 0)
        assert.ok(first)
        for (const one of again) {
          assert.deepEqual(Buffer.from(one.payload), Buffer.from(payload))
          const { to, messageId, meta } = one
          assert.deepEqual([to, one.type, messageId, meta], [first.to, first.type, first.messageId, first.meta])
        }
      })

      it('tells a message again under its own id, once a round', async () => {
        const sent = commandTo(actorIn(31))
        const again = { ...sent, round: 'redrive-1' }
        for (const message of [sent, sent, again, again]) await broker.publisher.publish([message])
        const reader = await openReader(broker.mailboxes, 31)
        assert.deepEqual(idsOf(await reader.takes(2)), [sent.messageId, sent.messageId])
        assert.equal(reader.mailbox.lag, 0)
      })

      it('waits for room when the mailboxes are full', async () => {
        await harness.limitMailboxes(3)
        await broker.publisher.publish(commandsTo(actorIn(32), 3))
        let isStored = false
        const late = commandTo(actorIn(33))
        const publishing = broker.publisher.publish([late]).then(() => (isStored = true))
        await assert.rejects(broker.requests.send(commandTo(actorIn(33)), 2_000), (error) =>
          hasCode(error, 'mailbox-full'),
        )
        assert.equal(isStored, false)
        await broker.mailboxes.purge(3)
        await publishing
        assert.deepEqual(idsOf(await (await openReader(broker.mailboxes, 33)).takes(1)), [late.messageId])
      })

      it('gives up when it is closed', async () => {
        await harness.limitMailboxes(0 + 1)
        const other = await harness.connect()
        await other.publisher.publish([commandTo(actorIn(34))])
        const stuck = other.publisher.publish([commandTo(actorIn(34))])
        await Promise.all([assert.rejects(stuck, (error) => hasCode(error, 'broker-unavailable')), other.close()])
        assert.equal(other.isConnected, false)
        await assert.rejects(other.publisher.publish([commandTo(actorIn(34))]), (error) =>
          hasCode(error, 'broker-unavailable'),
        )
      })

      it('makes public events what the contract says', async () => {
        const seen = await harness.subscribe(`${harness.prefix}.evt`)
        const address = { kind: 'booking', id: randomUUID() }
        const event = { type: 'BookingFailed_v1', booking_id: address.id, failure_reason: 'sold out' }
        const at = '2026-11-24T10:00:00.000Z'
        const [caused, first] = [randomUUID(), randomUUID()]
        const meta = { correlationId: 'story', causationId: 'cause', askedBy: 'key:shop' }
        await broker.publisher.publish([
          { to: 'events', address, messageId: caused, event, at, meta },
          { to: 'events', address, messageId: first, event, at, meta: { correlationId: 'story' } },
        ])
        await until('both are seen', () => seen.length === 2)
        assert.equal(seen[0]?.subject, `${harness.prefix}.evt.booking.${address.id}.BookingFailed_v1`)
        assert.equal(seen[0]?.headers['Nats-Msg-Id'], caused)
        assert.equal(seen[0]?.headers['Correlation-ID'], 'story')
        assert.equal(seen[0]?.headers['Causation-ID'], 'cause')
        assert.equal(seen[0]?.headers['Asked-By'], undefined, 'subscribers need not know')
        const fields = { booking_id: address.id, failure_reason: 'sold out' }
        assert.deepEqual(
          seen.map(({ body }) => JSON.parse(body)),
          [
            { header: { id: caused, published_at: at, idempotency_key: 'cause' }, ...fields },
            { header: { id: first, published_at: at, idempotency_key: first }, ...fields },
          ],
        )
      })

      it('announces dead letters', async () => {
        const seen = await harness.subscribe(`${harness.prefix}.dead`)
        const letter: DeadLetter = {
          partition: 1,
          kind: 'odd *kind',
          actorId: 'x',
          type: 'Nonsense',
          messageId: randomUUID(),
          code: 'unknown-actor',
          cause: 'there is no such kind',
          payload: new Uint8Array(),
          headers: {},
          meta: { correlationId: 'story' },
          at: '2026-11-24T10:00:00.000Z',
        }
        broker.publisher.announce(letter)
        await until('it is seen', () => seen.length === 1)
        assert.equal(seen[0]?.subject, `${harness.prefix}.dead.odd__kind`)
        const { kind, type, code, cause, at } = letter
        const ids = { message_id: letter.messageId, actor_id: 'x', correlation_id: 'story' }
        assert.deepEqual(JSON.parse(seen[0]?.body ?? ''), { ...ids, kind, type, code, cause, at })
      })
    })

    describe('requests', () => {
      it('store a command, and say when it was there before', async () => {
        const command = commandTo(actorIn(40))
        assert.deepEqual(await broker.requests.send(command, 5_000), { duplicate: false })
        assert.deepEqual(await broker.requests.send(command, 5_000), { duplicate: true })
        assert.deepEqual(idsOf(await (await openReader(broker.mailboxes, 40)).takes(1)), [command.messageId])
      })

      it('get their answers, and nobody else’s', async () => {
        const other = await harness.connect()
        const [ours, theirs]: Answer[][] = [[], []]
        broker.requests.onAnswer((answer) => ours?.push(answer))
        other.requests.onAnswer((answer) => theirs?.push(answer))
        const made: Answer = { requestId: randomUUID(), reply: { ok: { booking_id: 'b' } }, fingerprint: 'digest' }
        const refused: Answer = { requestId: randomUUID(), reply: { refused: 'sold-out', reason: '1 left' } }
        other.publisher.reply(broker.requests.replyTo, made)
        other.publisher.reply(broker.requests.replyTo, refused)
        other.publisher.reply(other.requests.replyTo, refused)
        await until('all answers are there', () => ours?.length === 2 && theirs?.length === 1)
        assert.deepEqual(ours, [made, refused])
        assert.deepEqual(theirs, [refused])
      })

      it('of outside clients are answered in JSON, but not wherever they like', async () => {
        const seen = await harness.subscribe('outside')
        const inside = await harness.subscribe(`${harness.prefix}.mbx`)
        const answer: Answer = { requestId: randomUUID(), reply: { ok: {} } }
        broker.publisher.reply(`$JS.API.STREAM.DELETE.${harness.prefix}-events`, answer)
        broker.publisher.reply(`${harness.prefix}.mbx.0.show.x.Y`, answer)
        broker.publisher.reply('outside.*', answer)
        broker.publisher.reply('outside..x', answer)
        broker.publisher.reply('out side', answer)
        broker.publisher.reply('outside.answers', answer)
        await until('the answer is there', () => seen.length > 0)
        const read = seen.map(({ subject, body }) => [subject, JSON.parse(body)])
        assert.deepEqual(read, [['outside.answers', { request_id: answer.requestId, ok: {} }]])
        assert.deepEqual(inside, [])
      })
    })

    describe('effects', () => {
      const service = 'dead-nation'

      it('are handed over as they were published, and gone when they are done', async () => {
        const sent = effectOf({ number_of_tickets: 2 })
        const got: EffectDelivery[] = []
        const consumer = await broker.effects.consume(service, 4, async (effect) => {
          got.push(effect)
          await effect.done()
        })
        await broker.publisher.publish([sent])
        await until('it is there', () => got.length === 1)
        const [effect] = got
        assert.ok(effect)
        const { messageId, actor, type, meta, attempt } = effect
        assert.deepEqual(
          { service: effect.service, messageId, actor, type, meta, attempt },
          {
            service,
            messageId: sent.messageId,
            actor: sent.address,
            type: 'BookTickets',
            meta: sent.meta,
            attempt: 1,
          },
        )
        assert.deepEqual(bodyOf(effect), { number_of_tickets: 2 })
        await consumer.close()
      })

      it('come back from the dead letters with their key, and say so', async () => {
        const first = effectOf()
        const { address, messageId, request, meta } = first
        const { type } = request
        const got: EffectDelivery[] = []
        await broker.effects.consume(service, 1, async (effect) => {
          got.push(effect)
          await effect.done()
        })
        await broker.publisher.publish([first])
        const payload = new TextEncoder().encode('{"number_of_tickets":3}')
        await broker.publisher.publish([{ to: 'origin', address, service, type, payload, messageId, round: 1, meta }])
        await until('both are there', () => got.length === 2)
        assert.deepEqual(
          got.map(({ messageId, actor, mayBeRepeat }) => ({ messageId, actor, mayBeRepeat })),
          [false, true].map((mayBeRepeat) => ({ messageId, actor: address, mayBeRepeat })),
        )
        assert.deepEqual([got[1]?.type, got[1] && bodyOf(got[1])], [type, { number_of_tickets: 3 }])
      })

      it('say so when they are told again', async () => {
        const seen: boolean[] = []
        await broker.effects.consume(service, 1, async ({ mayBeRepeat, done }) => {
          seen.push(mayBeRepeat)
          await done()
        })
        await broker.publisher.publish([effectOf(), { ...effectOf(), mayBeRepeat: true }])
        await until('both are there', () => seen.length === 2)
        assert.deepEqual(seen, [false, true])
      })

      it('say so when they come so late that they may have come before', async () => {
        const effect = { ...effectOf(), at: new Date(Date.now() - 90_000).toISOString() }
        const got: EffectDelivery[] = []
        await broker.effects.consume(service, 1, async (effect) => {
          got.push(effect)
          await effect.done()
        })
        await broker.publisher.publish([effect])
        await until('it is there', () => got.length === 1)
        assert.deepEqual([got[0]?.messageId, got[0]?.mayBeRepeat], [effect.messageId, true])
      })

      it('say so when they are told again in another round', async () => {
        const seen: boolean[] = []
        await broker.effects.consume(service, 1, async ({ mayBeRepeat, done }) => {
          seen.push(mayBeRepeat)
          await done()
        })
        const effect = effectOf()
        await broker.publisher.publish([effect, { ...effect, round: 'redrive-1' }])
        await until('both are there', () => seen.length === 2)
        assert.deepEqual(seen, [false, true])
      })

      it('that failed before they came into the queue come when their next attempt is due, and as that', async () => {
        const nextAttemptMs = Date.now() + 300
        const came: { attempt: number; mayBeRepeat: boolean; isDue: boolean }[] = []
        await broker.effects.consume(service, 1, async ({ attempt, mayBeRepeat, done }) => {
          // The server rounds to the millisecond in its own way.
          came.push({ attempt, mayBeRepeat, isDue: Date.now() > nextAttemptMs - 10 })
          await done()
        })
        await broker.publisher.publish([{ ...effectOf(), mayBeRepeat: true, nextAttemptMs }])
        await until('it is there', () => came.length === 1)
        assert.deepEqual(came, [{ attempt: 2, mayBeRepeat: true, isDue: true }])
      })

      it('do not wait for a slow one while there is room', async () => {
        const done: string[] = []
        let finish = (): void => {}
        const finished = new Promise<void>((resolve) => {
          finish = resolve
        })
        const [one, two, three, slow, next] = Array.from({ length: 5 }, () => effectOf())
        assert.ok(one && two && three && slow && next)
        const consumer = await broker.effects.consume(service, 4, async (effect) => {
          if (effect.messageId === slow.messageId) await finished
          await effect.done()
          done.push(effect.messageId)
        })
        await broker.publisher.publish([one, two, three])
        await until('the first are done', () => done.length === 3)
        // With the slow one, everything that was asked for has come.
        await broker.publisher.publish([slow])
        await broker.publisher.publish([next])
        await until('the next is done', () => done.includes(next.messageId))
        assert.ok(!done.includes(slow.messageId))
        finish()
        await until('the slow one too', () => done.length === 5)
        await consumer.close()
      })

      it('are never more at a time than asked for', async () => {
        const sent = Array.from({ length: 20 }, () => effectOf())
        await broker.publisher.publish(sent)
        let [running, most] = [0, 0]
        const done = new Set<string>()
        const release: (() => void)[] = []
        await broker.effects.consume(service, 3, async (effect) => {
          running += 1
          most = Math.max(most, running)
          await new Promise<void>((resolve) => release.push(resolve))
          await effect.done()
          done.add(effect.messageId)
          running -= 1
        })
        while (done.size < sent.length) {
          await until('all hands are full', () => running === Math.min(3, sent.length - done.size))
          const before = done.size
          release.shift()?.()
          await until('one is done', () => done.size > before)
        }
        assert.equal(most, 3)
        assert.deepEqual([...done].sort(), idsOf(sent).sort())
      })

      it('are as many at a time as the limit says, from when it says so', async () => {
        const taken: EffectDelivery[] = []
        const release: (() => void)[] = []
        const consumer = await broker.effects.consume(service, 2, async (effect) => {
          taken.push(effect)
          await new Promise<void>((resolve) => release.push(resolve))
          await effect.done()
        })
        await broker.publisher.publish(Array.from({ length: 6 }, () => effectOf()))
        await until('both hands are full', () => taken.length === 2)
        assert.equal(await broker.effects.waiting(service), 6)
        consumer.limit(0)
        for (const done of release.splice(0)) done()
        await sleep(300)
        assert.equal(taken.length, 2)

        consumer.limit(1)
        await until('the one hand is full', () => taken.length === 3)
        await sleep(100)
        assert.equal(taken.length, 3)

        consumer.limit(3)
        await until('three hands are full', () => taken.length === 5)
        for (const done of release.splice(0)) done()
        await until('the last is taken', () => taken.length === 6)
        assert.equal(await broker.effects.waiting(service), 1)
        assert.ok(taken.every(({ attempt }) => attempt === 1))
      })

      it('come back after the delay, counted', async () => {
        const delayMs = 300
        const seen: { attempt: number; atMs: number }[] = []
        await broker.effects.consume(service, 1, async (effect) => {
          seen.push({ attempt: effect.attempt, atMs: performance.now() })
          if (effect.attempt < 3) effect.retry(delayMs)
          else await effect.done()
        })
        await broker.publisher.publish([effectOf()])
        await until('the third attempt', () => seen.length === 3)
        assert.deepEqual(
          seen.map(({ attempt }) => attempt),
          [1, 2, 3],
        )
        for (const [index, { atMs }] of seen.entries()) {
          const earlier = seen[index - 1]
          if (earlier) assert.ok(atMs - earlier.atMs >= delayMs - 10, `came back after ${atMs - earlier.atMs} ms`)
        }
      })

      it('come back when their handler fails', async () => {
        const attempts: number[] = []
        await broker.effects.consume(service, 1, async (effect) => {
          attempts.push(effect.attempt)
          if (effect.attempt === 1) throw new Error('the database is away')
          await effect.done()
        })
        await broker.publisher.publish([effectOf()])
        await until('the second attempt', () => attempts.length === 2)
        assert.deepEqual(attempts, [1, 2])
      })

      it('are shared by all processes, and left to the others by one that closes', async () => {
        const other = await harness.connect()
        const handled: string[] = []
        const handle = async (effect: EffectDelivery) => {
          await effect.done()
          handled.push(effect.messageId)
        }
        const [here, there] = [
          Array.from({ length: 50 }, () => effectOf()),
          Array.from({ length: 50 }, () => effectOf()),
        ]
        const ours = await broker.effects.consume(service, 2, handle)
        await other.effects.consume(service, 2, handle)
        await broker.publisher.publish(here)
        await until('the first half is done', () => handled.length === 50)
        await ours.close()
        await broker.publisher.publish(there)
        await until('the second half is done', () => handled.length === 100)
        await setImmediate()
        assert.deepEqual(handled.sort(), idsOf([...here, ...there]).sort())
      })
    })
  })
}

import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { Tagged } from '../actor/actor.ts'
import { outcomeId, partitionOf } from '../actor/ids.ts'
import { MemoryStore } from '../store/memory.ts'
import { batchOf, claimed, letterOf, one, turnOf } from '../store/store.fixtures.ts'
import type { RecordedDecision, RecordedSend, TurnRecord } from './ports.ts'
import { findLost, type Page, positionBefore, type Stretch } from './redrive.ts'
import { creation, id, idIn, partitions, showId, type Worker, World, wish } from './world.fixtures.ts'

const sendTo = (actor: string, name: string, command: Tagged = creation): RecordedSend => {
  return { messageId: id(name), send: 'show', id: actor, command: command as never }
}
const call = (name: string) => ({
  messageId: id(name),
  call: 'payments' as const,
  request: { type: 'RefundPayment' } as Tagged,
})

/** The journal of partition 0 is written past the engine, one turn for each decision, all of it told to the broker. */
async function journal(store: MemoryStore, decisions: Partial<RecordedDecision & Pick<TurnRecord, 'at'>>[]) {
  const row = one(await claimed(store, 'the journal', 0))
  const turns = decisions.map(({ at = '2030-01-01T00:00:00.000Z', ...decision }, n) => {
    return turnOf({
      position: row.head + n + 1,
      actorId: idIn(0, `booking ${row.head + n}`),
      at,
      decision: { outcome: 'accepted', ...decision },
    })
  })
  await store.commit(batchOf(row, ...turns))
  await store.release([{ ...row, published: row.head + turns.length }])
  await store.leave('the journal')
  return turns
}

describe('what is lost', () => {
  let store: MemoryStore
  beforeEach(() => {
    store = new MemoryStore(partitions, () => 0)
  })

  async function look(stretch: Partial<Stretch> = {}): Promise<{ lost: string[]; last: Page }> {
    const pages: Page[] = []
    const all = { partition: 0, after: 0, upTo: 1_000_000, settled: 0, ...stretch }
    const [standing] = await store.standings()
    for await (const page of findLost(store, partitions, { ...all, upTo: standing?.published ?? 0 })) pages.push(page)
    const names = pages.flatMap(({ lost }) => lost.map(({ message }) => message.messageId))
    return { lost: names, last: pages.at(-1) as Page }
  }
  /** The turn of a message. */
  async function take(kind: string, actorId: string, messageId: string): Promise<void> {
    const row = one(await claimed(store, 'a taker', partitionOf(actorId, partitions)))
    await store.commit(batchOf(row, { kind, actorId, messageId, version: 2 }))
    await store.release([{ ...row, published: row.published }])
    await store.leave('a taker')
  }

  test('is a send without a turn of its target, unless it joined the batch of its sender', async () => {
    const target = idIn(3, 'show')
    await journal(store, [{ sends: [sendTo(target, 'a'), { joined: id('b') }, sendTo(target, 'c')] }])
    await take('show', target, id('a'))
    const { lost, last } = await look()
    assert.deepEqual(lost, [id('c')])
    assert.deepEqual(last.counts.sends, { seen: 2, taken: 1, young: 0, lost: 1 })
  })

  test('is a call without the turn of its outcome, or a dead letter that is not sent back', async () => {
    const [turn] = await journal(store, [{ calls: ['a', 'b', 'c', 'd'].map(call) }])
    const actorId = turn?.actorId ?? ''
    const letters = ['b', 'c'].map((name) => letterOf({ kind: 'payments', actorId, messageId: id(name) }))
    for (const letter of letters) await store.keepDeadLetter(letter)
    store.settle(letters[1] ?? letterOf({}), 'requeued')
    await take('booking', actorId, outcomeId(id('a')))
    assert.deepEqual((await look()).lost, [id('c'), id('d')])
  })

  test('is nothing that may be on its way', async () => {
    const sends = [sendTo(showId, 'a')]
    await journal(store, [{ sends }, { sends, at: '2030-01-01T00:00:10.000Z' }])
    const { lost, last } = await look({ before: '2030-01-01T00:00:05.000Z' })
    assert.deepEqual([lost.length, last.counts.sends.young], [1, 1])
  })

  test('are public events from the given time on', async () => {
    const decision = (n: number) => ({
      at: `2030-01-01T0${n}:00:00.000Z`,
      events: [{ type: 'BookingMade_v1' }],
      publishes: [{ messageId: id(`event ${n}`), index: 0 }],
    })
    await journal(store, [1, 2, 3, 4, 5].map(decision))
    assert.deepEqual((await look()).lost, [])
    assert.deepEqual((await look({ eventsSince: '2030-01-01T04:00:00.000Z' })).lost, [id('event 4'), id('event 5')])
    // An hour before, to be sure.
    assert.equal(await positionBefore(store, 0, 5, '2030-01-01T04:00:00.000Z'), 2)
  })

  test('is looked for behind what is settled, which ends before the first that is not taken for good', async () => {
    const turns = await journal(store, [{}, { sends: [sendTo(showId, 'a')] }, { calls: [call('b')] }, {}])
    assert.equal((await look()).last.settled, 1)
    await take('show', showId, id('a'))
    const letter = letterOf({ kind: 'payments', actorId: turns[2]?.actorId ?? '', messageId: id('b') })
    await store.keepDeadLetter(letter)
    assert.equal((await look()).last.settled, 2)
    store.settle(letter, 'discarded')
    assert.equal((await look({ after: 2, settled: 2 })).last.settled, 4)
  })

  test('is nothing that is archived: the turns around it are settled over the gap, and who is not is named', async () => {
    const turns = await journal(store, [{}, {}, { sends: [sendTo(showId, 'a')] }, {}])
    const [, second, third] = turns.map(({ actorId }) => actorId)
    const { partition } = turns[1] as TurnRecord
    store.archive({ partition, kind: 'booking', id: second ?? '', version: 1, before: '2030-01-02T00:00:00.000Z' })
    const { lost, last } = await look()
    assert.deepEqual([lost, last.settled], [[id('a')], 1])
    assert.deepEqual(last.unsettled, [
      { kind: 'booking', id: third },
      { kind: 'show', id: showId },
    ])
    await take('show', showId, id('a'))
    assert.equal((await look()).last.settled, 4)
  })

  test('is found in any journal, a page at a time', async () => {
    await journal(
      store,
      Array.from({ length: 1_200 }, (_, n) => ({ sends: [sendTo(showId, `send ${n}`)] })),
    )
    assert.equal((await look()).lost.length, 1_200)
  })
})

describe('by itself', () => {
  let world: World
  beforeEach(() => {
    world = new World()
  })
  const pass = (ms: number): Promise<void> => world.while(world.clock.sleep(ms))
  const turns = (): number => world.commits.reduce((sum, commit) => sum + commit.turns, 0)
  async function stop({ redriver, keeper, engine, broker }: Worker): Promise<void> {
    for (const part of [redriver, keeper, engine]) await world.while(part.stop())
    await world.while(broker.close())
  }
  const effects = () => world.published.filter(({ subject }) => subject.startsWith('test.fx.'))

  async function book(): Promise<Worker> {
    const worker = world.start('one')
    await world.askAndWait('show', showId, creation, id('m1'))
    await world.askAndWait('booking', id('b1'), wish, id('m2'))
    await world.until('the call is told', () => effects().length === 1)
    await pass(3_000)
    return worker
  }

  test('nothing is published again while nothing is lost', async () => {
    const worker = await book()
    const before = world.published.length
    await pass(60_000)
    assert.deepEqual([worker.losses, worker.redriven, world.published.length], [[], {}, before])
  })

  test('a lost call is found and says that it may have been carried out', async () => {
    const worker = await book()
    world.broker.streams.effects.wipe()
    await world.until('it is told again', () => effects().length === 2)
    const [first, again] = effects().map(({ headers }) => headers)
    assert.equal(again?.['Message-ID'], first?.['Nats-Msg-Id'])
    assert.deepEqual([worker.losses, worker.redriven.calls, worker.fenced], [['effects'], 1, 0])
    await pass(60_000)
    assert.equal(effects().length, 2)
  })

  test('lost events are told again, and once', async () => {
    const worker = await book()
    const events = () => world.published.filter(({ subject }) => subject.startsWith('test.evt.'))
    const before = events().length
    world.broker.streams.events.wipe()
    await world.until('they are told again', () => events().length === before * 2)
    await pass(60_000)
    assert.deepEqual([events().length, worker.losses, worker.redriven.events], [before * 2, ['events'], before])
  })

  test('the mailboxes are read from their beginning when they have lost their end, however far they are again', async () => {
    const worker = await book()
    const { mailbox } = world.broker.streams
    const { lastSequence } = mailbox.state
    mailbox.loseAfter(lastSequence - 1)
    await world.askAndWait('booking', id('b2'), wish, id('m3'))
    assert.deepEqual(worker.losses, ['mailbox'])
  })

  /** A mailbox stream that nobody has any more. */
  async function loseSends(count: number): Promise<void> {
    const targets = Array.from({ length: count }, (_, n) => idIn(1 + (n % 7), `lost ${n}`))
    await journal(
      world.store,
      targets.map((target, n) => ({ sends: [sendTo(target, `send ${n}`)] })),
    )
    await world.store.noteStream('mailbox', { id: 'gone', lastSequence: 1_000 }, undefined)
  }

  test('a lost send comes to its target', async () => {
    await loseSends(1)
    const worker = world.start('one')
    await world.until('it has its turn', () => turns() === 1)
    assert.equal(worker.redriven.sends, 1)
  })

  test('a worker that dies half-way is gone on from by the next', async () => {
    await loseSends(1_200)
    const one = world.start('one')
    const { publisher } = one.broker
    const publish = publisher.publish.bind(publisher)
    let pages = 0
    publisher.publish = (messages) => {
      if (messages.every(({ round }) => round === undefined)) return publish(messages)
      pages += 1
      return pages === 1 ? publish(messages) : new Promise(() => {})
    }
    await world.until('it is at the second page', () => pages === 2)
    await stop(one)
    const heir = world.start('heir')
    await world.until('all have had their turn', () => turns() === 1_200)
    assert.deepEqual([one.redriven.sends, heir.redriven.sends], [500, 700])
    assert.deepEqual(await world.store.orders([0]), [])
  })
})

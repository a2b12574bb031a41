import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { partitionOf } from '../actor/ids.ts'
import type { Commit, CommitResult, Store } from './ports.ts'
import { ShortWay } from './short-way.ts'
import { creation, id, override, partitions, showId, type Worker, World, wish } from './world.fixtures.ts'

let world: World
/** All that came while a test had not let it be handed over. */
let gathered: (() => void)[]
let stored = 0
beforeEach(() => {
  world = new World()
  gathered = []
  stored = 0
  world.broker.streams.mailbox.onAppend(() => stored++)
})

const answered = (messageId: string): boolean => world.answerTo(messageId) !== undefined

function shortWayTo({ engine, broker: { requests, publisher } }: Worker): ShortWay {
  const gather = (task: () => void): void => void gathered.push(task)
  return new ShortWay({
    engine,
    requests,
    publisher,
    partitions,
    nowMs: () => Date.parse('2026-01-01'),
    gathered: gather,
  })
}

async function ask(
  shortWay: ShortWay,
  kind: string,
  to: string,
  command: { type: string },
  messageId: string,
  key?: string,
  isFirst = false,
) {
  const { replyTo } = world.client.requests
  const meta = { correlationId: 'test', replyTo, requestId: messageId, ...(key !== undefined && { fingerprint: key }) }
  const sent = shortWay.send({ to: 'mailbox', address: { kind, id: to }, messageId, command, meta, isFirst }, 1_000)
  for (const handOver of gathered.splice(0)) handOver()
  return world.while(sent)
}

async function startOwner(wrap = (store: Store): Store => store): Promise<Worker> {
  const worker = world.start('one', { wrap })
  await world.until('it owns all', () => worker.engine.partitions.length === partitions)
  return worker
}

/** A store whose commits wait until they are released. */
function holdCommits() {
  let release = (): void => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  const held = (store: Store): Store =>
    override(store, 'commit', async (batch, next) => {
      await released
      return next(batch)
    })
  return { held, release: () => release() }
}

async function turnsOf(messageId: string, actorId: string): Promise<number> {
  const partition = partitionOf(actorId, partitions)
  return (await world.store.readJournal(partition, 0, 100)).filter((turn) => turn.messageId === messageId).length
}

test('what its engine owns does not go by the broker', async () => {
  const shortWay = shortWayTo(await startOwner())
  assert.deepEqual(await ask(shortWay, 'show', showId, creation, id('m1')), { duplicate: false })
  await ask(shortWay, 'booking', id('b1'), wish, id('m2'))
  await world.until('both are answered', () => answered(id('m1')) && answered(id('m2')))
  assert.deepEqual(world.answerTo(id('m2')), { ok: { booking_id: id('b1') } })
  assert.equal(stored, 0)
})

test('what comes at the same moment is one commit', async () => {
  const shortWay = shortWayTo(await startOwner())
  const send = (name: string) =>
    shortWay.send(
      {
        to: 'mailbox',
        address: { kind: 'show', id: id(name) },
        messageId: id(`m ${name}`),
        command: creation,
        meta: { correlationId: 'test' },
      },
      1_000,
    )
  const sent = ['a', 'b', 'c', 'd'].map(send)
  assert.equal(gathered.length, 1)
  gathered[0]?.()
  await world.while(Promise.all(sent))
  await world.until('it is committed', () => world.commits.length > 0)
  assert.deepEqual(
    world.commits.map(({ turns }) => turns),
    [4],
  )
})

test('what may be a repeat goes by the broker, which knows it', async () => {
  const shortWay = shortWayTo(await startOwner())
  assert.deepEqual(await ask(shortWay, 'show', showId, creation, id('m1'), 'digest'), { duplicate: false })
  assert.deepEqual(await ask(shortWay, 'show', showId, creation, id('m1'), 'digest'), { duplicate: true })
  assert.equal(stored, 1)
})

test('what has a key that nobody has used before does not', async () => {
  const shortWay = shortWayTo(await startOwner())
  await ask(shortWay, 'show', showId, creation, id('m1'), 'digest', true)
  await world.until('it is answered', () => answered(id('m1')))
  assert.equal(stored, 0)
})

test('what another worker owns goes by the broker', async () => {
  const one = await startOwner()
  const two = world.start('two')
  await world.until('they share', () => two.engine.partitions.length === partitions / 2)
  const [foreign] = two.engine.partitions
  const names = Array.from({ length: 100 }, (_, index) => id(`show ${index}`))
  const theirs = names.find((name) => partitionOf(name, partitions) === foreign?.id) as string
  await ask(shortWayTo(one), 'show', theirs, creation, id('m1'))
  await world.until('it is answered', () => answered(id('m1')))
  assert.equal(stored, 1)
})

test('what waits when its worker stops is given back, and answered by the next', async () => {
  const { held, release } = holdCommits()
  const one = await startOwner(held)
  const shortWay = shortWayTo(one)
  // As many commits as may be under way, and one that waits behind them.
  for (const name of ['a', 'b', 'c', 'd']) {
    await ask(shortWay, 'show', id(name), creation, id(`m ${name}`))
    await world.while(world.clock.sleep(1))
  }
  const stopping = one.keeper.stop()
  world.start('two')
  await world.while(world.clock.sleep(10))
  release()
  await world.while(stopping)
  await world.until('all are answered', () => ['a', 'b', 'c', 'd'].every((name) => answered(id(`m ${name}`))))
  assert.equal(stored, 1)
  for (const name of ['a', 'b', 'c', 'd']) assert.equal(await turnsOf(id(`m ${name}`), id(name)), 1)
})

for (const [what, result, wentIn] of [
  ['is fenced', { outcome: 'fenced', partitions: [] }, false],
  ['came to an unknown end and went in', { outcome: 'unknown', error: new Error('the line is dead') }, true],
  ['came to an unknown end and did not go in', { outcome: 'unknown', error: new Error('the line is dead') }, false],
] as [string, CommitResult, boolean][]) {
  test(`what was in a commit that ${what} has its turn once, and its answer`, async () => {
    let faults = 0
    const wrap = (store: Store): Store =>
      override(store, 'commit', async (batch: Commit, next) => {
        if (faults++ > 0) return next(batch)
        if (wentIn) await next(batch)
        return result
      })
    const shortWay = shortWayTo(await startOwner(wrap))
    await ask(shortWay, 'show', showId, creation, id('m1'))
    await world.until('it is answered', () => answered(id('m1')))
    await world.while(world.clock.sleep(1_000))
    assert.ok(faults > 0)
    assert.equal(await turnsOf(id('m1'), showId), 1)
  })
}

test('a command that Postgres refuses is a dead letter with what it said', async () => {
  const wrap = (store: Store): Store =>
    override(store, 'commit', async (batch, next): Promise<CommitResult> => {
      if (batch.turns.length === 0) return next(batch)
      return { outcome: 'rejected', error: new Error('no such character') }
    })
  const shortWay = shortWayTo(await startOwner(wrap))
  await ask(shortWay, 'show', showId, creation, id('m1'))
  await world.until('it is answered', () => answered(id('m1')))
  const [letter] = world.store.deadLetters
  const { type, ...fields } = creation
  assert.deepEqual(JSON.parse(Buffer.from(letter?.payload ?? []).toString()), fields)
  assert.equal(letter?.type, type)
})

test('what is delivered is safe when it is committed, and not before', async () => {
  const { held, release } = holdCommits()
  const shortWay = shortWayTo(await startOwner(held))
  let isSafe = false
  const delivered = deliver(shortWay).then(() => (isSafe = true))
  await world.while(world.clock.sleep(1_000))
  assert.equal(isSafe, false)
  release()
  await world.while(delivered)
  assert.equal(await turnsOf(id('m1'), showId), 1)
  assert.equal(stored, 0)
})

test('what is delivered once more, or to nobody who is here, is safe when the broker has it', async () => {
  const one = world.start('one')
  const shortWay = shortWayTo(one)
  await world.while(deliver(shortWay))
  assert.equal(stored, 1)
  await world.until('it owns all', () => one.engine.partitions.length === partitions)
  await world.while(deliver(shortWay, true))
  await world.while(world.clock.sleep(1_000))
  assert.equal(await turnsOf(id('m1'), showId), 1)
})

function deliver(shortWay: ShortWay, mayBeRepeat = false): Promise<void> {
  const address = { kind: 'show', id: showId }
  const meta = { correlationId: 'test' }
  const done = shortWay.deliver({ to: 'mailbox', address, messageId: id('m1'), command: creation, meta }, mayBeRepeat)
  for (const handOver of gathered.splice(0)) handOver()
  return done
}

import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { Commit, CommitResult, Store } from './ports.ts'
import { creation, id, idIn, override, showId, type Worker, World, wish } from './world.fixtures.ts'

let world: World
beforeEach(() => {
  world = new World()
})

const answered = (messageId: string): boolean => world.answerTo(messageId) !== undefined
const pass = (ms: number): Promise<void> => world.while(world.clock.sleep(ms))
const unknown: CommitResult = { outcome: 'unknown', error: new Error('canceling statement due to a timeout') }

async function ready(worker: Worker): Promise<void> {
  const { engine } = worker
  await world.until('everything is read', () => {
    return engine.partitions.length === 8 && engine.partitions.every(({ mailbox }) => mailbox)
  })
}

/** Keeps the first three commits waiting, as many as may be under way: what comes meanwhile is one batch. */
function gate(judge: (batch: Commit, next: Store['commit']) => Promise<CommitResult>) {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  let commits = 0
  const wrap = (store: Store): Store =>
    override(store, 'commit', async (batch, next) => {
      if (commits++ < 3) await opened
      return judge(batch, next)
    })
  return { wrap, open: () => open() }
}

async function fillTheGate(worker: Worker): Promise<void> {
  await ready(worker)
  for (const name of ['x', 'y', 'z']) {
    await world.ask('show', idIn(7, name), creation, id(`fill ${name}`))
    await pass(1)
  }
}

describe('while commits are under way', () => {
  test('a worker that is stopped while one that failed is put right comes to its end', async () => {
    const releases: (() => void)[] = []
    const wrap = (store: Store): Store =>
      override(store, 'commit', async (): Promise<CommitResult> => {
        await new Promise<void>((resolve) => releases.push(resolve))
        return { outcome: 'fenced', partitions: [] }
      })
    const worker = world.start('one', { wrap })
    await ready(worker)
    for (const name of ['a', 'b']) {
      await world.ask('show', idIn(1, name), creation, id(name))
      await pass(1)
    }
    await world.until('both are under way', () => releases.length === 2)
    releases[0]?.()
    await pass(1)
    const stopping = worker.engine.stop()
    await pass(1)
    releases[1]?.()
    await world.while(stopping)
  })

  test('a dead letter of a failed batch is not lost by a later batch of its partition', async () => {
    const [here, there] = [idIn(2, 'here'), idIn(5, 'there')]
    let release = (): void => {}
    const secondIsThrough = new Promise<void>((resolve) => {
      release = resolve
    })
    let faults = 0
    const { wrap, open } = gate(async (batch, next) => {
      if (batch.turns.some(({ actorId }) => actorId === there) && faults++ === 0) {
        await secondIsThrough
        return unknown
      }
      const result = await next(batch)
      if (batch.turns.some(({ actorId }) => actorId === here)) release()
      return result
    })
    await fillTheGate(world.start('one', { wrap }))
    world.say(`test.cmd.show.${here}.CreateShow`, 'garbage', id('bad'))
    await world.ask('show', there, creation, id('m1'))
    await pass(20)
    open()
    await pass(20)
    await world.ask('show', here, creation, id('m2'))
    await world.until('both are answered', () => answered(id('m1')) && answered(id('m2')))
    assert.ok(faults > 0)
    assert.deepEqual(
      world.store.deadLetters.map(({ code }) => code),
      ['message-unparsable'],
    )
  })

  test('a batch that cannot make its deadline is made smaller until it can, and not at once', async () => {
    let tries = 0
    const { wrap, open } = gate(async (batch, next) => {
      if (batch.deadLetters.length <= 2) return next(batch)
      tries += 1
      return unknown
    })
    await fillTheGate(world.start('one', { wrap }))
    for (let i = 0; i < 8; i++) world.say(`test.cmd.show.${idIn(1, `big ${i}`)}.CreateShow`, 'garbage', id(`big ${i}`))
    await pass(20)
    const startedMs = world.clock.monotonicMs()
    open()
    await world.until('all of it is in', () => world.store.deadLetters.length === 8)
    assert.ok(tries > 0 && tries < 10, `${tries} tries`)
    assert.ok(world.clock.monotonicMs() - startedMs >= tries * 250)
  })
})

describe('a worker', () => {
  test('keeps its lease when the broker is slow', async () => {
    const slow = world.start('slow')
    await ready(slow)
    const { mailboxes } = slow.broker
    const firstBehind = mailboxes.firstBehind.bind(mailboxes)
    mailboxes.firstBehind = async (partition, cursor) => {
      await world.clock.sleep(3_200)
      return firstBehind(partition, cursor)
    }
    for (let partition = 0; partition < 8; partition++) {
      await world.askAndWait('show', idIn(partition, 'show'), creation, id(`m ${partition}`))
    }
    const other = world.start('other')
    await pass(6_000)
    assert.deepEqual([slow.fenced, other.fenced], [0, 0])
  })

  test('shows what waits while its database commits nothing', async () => {
    let isAway = false
    const wrap = (store: Store): Store =>
      override(store, 'commit', async (batch, next) => (isAway ? unknown : next(batch)))
    const one = world.start('one', { wrap })
    await ready(one)
    isAway = true
    await world.ask('show', showId, creation, id('m1'))
    const waits = () => one.mailboxes.filter(({ lag }) => lag > 0)
    await world.until('it waits', () => waits().length > 0)
    const [standing] = waits()
    assert.ok(standing?.isOpen)
    assert.equal(typeof standing.oldestAt, 'number')
    isAway = false
    await world.until('it waits no more', () => waits().length === 0)
    assert.deepEqual(new Set(one.mailboxes.map(({ oldestAt }) => oldestAt)), new Set([undefined]))
  })

  test('that stops while a commit comes to an unknown end leaves nothing behind', async () => {
    let faults = 0
    const wrap = (store: Store): Store =>
      override(store, 'commit', async (batch, next) => {
        if (batch.turns.every(({ kind }) => kind !== 'booking') || faults++ > 0) return next(batch)
        await world.clock.sleep(50)
        return unknown
      })
    const one = world.start('one', { wrap })
    await world.askAndWait('show', showId, creation, id('m1'))
    await world.ask('booking', id('b1'), wish, id('m2'))
    await world.until('its commit is under way', () => faults > 0)
    await world.while(one.keeper.stop())
    await world.while(one.engine.stop())
    assert.equal(one.engine.partitions.length, 0)
    world.start('heir')
    await world.until('the other carries on', () => answered(id('m2')))
  })

  test('reads a stream that has lost its end from the beginning, and does nothing twice', async () => {
    const one = world.start('one')
    await ready(one)
    await world.askAndWait('show', showId, creation, id('m1'))
    await world.askAndWait('booking', id('b1'), wish, id('m2'))
    const turns = world.commits.reduce((sum, commit) => sum + commit.turns, 0)

    world.broker.streams.mailbox.loseAfter(1)
    // As after any reconnect: what is being read is read anew.
    for (const { id: partition, epoch } of one.engine.partitions) {
      await world.while(one.broker.mailboxes.open(partition, epoch, 0, { ready() {}, lost() {} }))
    }
    await world.askAndWait('booking', id('b2'), wish, id('m3'))
    assert.equal(world.commits.reduce((sum, commit) => sum + commit.turns, 0) - turns, 3)
  })
})

describe('ids', () => {
  test('the same message id at two actors is two messages, down to the last consequence', async () => {
    world.start('one')
    await world.askAndWait('show', showId, creation, id('m1'))
    await world.askAndWait('booking', id('b1'), wish, id('same'))
    // Past the broker's own dedupe.
    await pass(3 * 60_000)
    world.answers.length = 0
    await world.askAndWait('booking', id('b2'), wish, id('same'))
    assert.deepEqual(world.answerTo(id('same')), { ok: { booking_id: id('b2') } })
    const eventIds = (): Set<string | undefined> => {
      const events = world.published.filter(({ subject }) => subject.endsWith('BookingMade_v1'))
      return new Set(events.map(({ headers }) => headers['Nats-Msg-Id']))
    }
    await world.until('each has its event', () => eventIds().size === 2)
  })

  test('a command in the wrong partition makes no second copy of its actor', async () => {
    world.start('one')
    const home = idIn(3, 'show')
    await world.askAndWait('show', home, creation, id('m1'))
    const { type, ...body } = creation
    world.say(`test.mbx.4.show.${home}.${type}`, JSON.stringify(body), id('m2'))
    await world.until('it is set aside', () => world.store.deadLetters.length === 1)
    assert.equal(world.store.deadLetters[0]?.code, 'misrouted')
    assert.equal(await world.store.actor({ kind: 'show', id: home, partition: 4 }), undefined)
  })
})

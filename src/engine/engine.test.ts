import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { actors } from '../../actors/index.ts'
import { show } from '../../actors/show.ts'
import type { BookingState } from '../../schemas/booking.ts'
import type { ShowState } from '../../schemas/show.ts'
import type { Context, Decision, Tagged } from '../actor/actor.ts'
import { partitionOf } from '../actor/ids.ts'
import type { Commit, CommitResult, Store } from './ports.ts'
import { creation, id, idIn, override, partitions, showId, type Worker, World, wish } from './world.fixtures.ts'

let world: World
beforeEach(() => {
  world = new World()
})

const owned = (worker: Worker): number => worker.engine.partitions.length
const answerTo = (messageId: string) => world.answerTo(messageId)
const answered = (messageId: string): boolean => answerTo(messageId) !== undefined
const ask = (kind: string, actorId: string, command: { type: string }, messageId: string): Promise<void> => {
  return world.askAndWait(kind, actorId, command, messageId)
}

async function stateOf<T>(kind: string, actorId: string): Promise<T | undefined> {
  const actor = await world.store.actor({ kind, id: actorId, partition: partitionOf(actorId, partitions) })
  return actor?.state as T | undefined
}

async function reserved(): Promise<number | undefined> {
  const state = await stateOf<ShowState>('show', showId)
  return state?.status === 'on-sale' ? state.reserved : undefined
}

/** Everything in the journal has been told, as far as the store knows. */
async function isAllTold(): Promise<boolean> {
  const rows = await world.store.readPartitions([...Array(partitions).keys()])
  return rows.every(({ head, published }) => head === published)
}

describe('one worker', () => {
  test('commits a booking of three turns as one, answers it, and tells the world', async () => {
    const worker = world.start('one')
    await ask('show', showId, creation, id('m1'))
    await ask('booking', id('b1'), wish, id('m2'))

    assert.deepEqual(answerTo(id('m2')), { ok: { booking_id: id('b1') } })
    assert.deepEqual(
      world.commits.map(({ turns }) => turns),
      [1, 3],
    )
    assert.equal(await reserved(), 3)
    for (const subject of [`test.evt.booking.${id('b1')}.BookingMade_v1`, 'test.fx.dead-nation.BookTickets']) {
      await world.until(subject, () => world.published.some((message) => message.subject === subject))
    }
    // What joined the batch does not go through the broker.
    assert.ok(!world.published.some(({ subject }) => subject.endsWith('ReserveSeats')))
    await world.while(worker.keeper.stop())
    assert.ok(await isAllTold())
  })

  test('takes up a state that an earlier build has stored', async () => {
    const first = world.start('one')
    await ask('show', showId, creation, id('m1'))
    await ask('booking', id('b1'), wish, id('m2'))
    await world.while(first.keeper.stop())
    const asItWas = (store: Store) =>
      override(store, 'load', async (addresses, load) => {
        const stored = await load(addresses)
        for (const { state } of stored) delete (state as { deadline_at?: string }).deadline_at
        return stored
      })
    world.start('two', { wrap: asItWas })
    await ask('booking', id('b1'), { type: 'CancelBooking' }, id('m3'))
    const booking = await stateOf<BookingState>('booking', id('b1'))
    assert.ok(booking?.status === 'canceled')
    assert.equal(Date.parse(booking.deadline_at) - Date.parse(booking.requested_at), 900_000)
  })

  test('looks in the store for no actor whose id lies beyond all that are there', async () => {
    const looked: string[] = []
    const listening = (store: Store) =>
      override(store, 'load', (addresses, load) => {
        looked.push(...addresses.flatMap(({ kind, id }) => (kind === 'booking' ? id : [])))
        return load(addresses)
      })
    const [first, second, third] = ['b1', 'b2', 'b3'].map((name) => idIn(0, name)).sort() as [string, string, string]
    const worker = world.start('one', { wrap: listening })
    await ask('show', showId, creation, id('m1'))
    await ask('booking', second, wish, id('m2'))
    await ask('booking', first, wish, id('m3'))
    await ask('booking', third, wish, id('m4'))
    assert.deepEqual(looked, [first])
    assert.equal(await reserved(), 9)

    await world.while(worker.keeper.stop())
    world.start('two', { wrap: listening })
    await ask('booking', third, { type: 'CancelBooking' }, id('m5'))
    assert.deepEqual(looked, [first, third])
    assert.equal((await stateOf<BookingState>('booking', third))?.status, 'canceled')
  })

  test('answers a refusal at the end of the chain, not in the middle', async () => {
    world.start('one')
    await ask('booking', id('b1'), wish, id('m1'))
    assert.deepEqual(answerTo(id('m1')), { refused: 'unknown-show', reason: `there is no show ${showId}` })
    assert.equal((await stateOf<BookingState>('booking', id('b1')))?.status, 'failed')
    assert.equal(world.answers.length, 1)
  })

  test('sets aside what it cannot handle, tells who waits for it, and goes on with the rest', async () => {
    const broken = { ...actors, show: { ...show, decide: { ...show.decide, ReleaseSeats: () => JSON.parse('{') } } }
    world.start('one', { rules: broken })
    await ask('show', showId, creation, id('m1'))
    world.say(`test.cmd.show.${showId}.ReserveSeats`, 'no json')
    world.say(`test.cmd.show.${showId}.toString`, '{}')
    world.say('test.cmd.opera.x.Sing', '{}')
    const release = { type: 'ReleaseSeats', booking_id: id('b1'), number_of_tickets: 1 }
    await ask('show', showId, release, id('m2'))
    await ask('booking', id('b1'), wish, id('m3'))

    const codes = world.store.deadLetters.map(({ code }) => code)
    assert.deepEqual(codes.sort(), ['message-unparsable', 'turn-threw', 'unknown-actor', 'unknown-command'])
    const thrown = world.store.deadLetters.find(({ code }) => code === 'turn-threw')
    assert.match(thrown?.stack ?? '', /SyntaxError/)
    assert.deepEqual(JSON.parse(Buffer.from(thrown?.payload ?? []).toString()).number_of_tickets, 1)
    assert.equal((answerTo(id('m2')) as { refused: string }).refused, 'dead-letter')
    assert.deepEqual(answerTo(id('m3')), { ok: { booking_id: id('b1') } })
  })

  test('gives a repeated message its first answer, and nothing happens twice', async () => {
    world.start('one')
    await ask('show', showId, creation, id('m1'))
    await ask('booking', id('b1'), wish, id('m2'))
    // Past the broker's own dedupe.
    await world.while(world.clock.sleep(3 * 60_000))
    const before = world.answers.length
    const { replyTo } = world.client.requests
    // The broker takes an id in capitals for another one, so that a batch can hold the same message twice.
    for (const [booking, messageId] of [
      ['b1', id('m2')],
      ['b2', id('m4')],
      ['b1', id('m2').toUpperCase()],
      ['b2', id('m4').toUpperCase()],
    ] as const) {
      const { type, ...body } = wish
      world.broker.publish({
        subject: `test.cmd.booking.${id(booking)}.${type}`,
        headers: { 'Nats-Msg-Id': messageId, 'Reply-To': replyTo },
        body: JSON.stringify(body),
      })
    }
    await world.until('all are answered', () => world.answers.length >= before + 4)
    assert.equal(await reserved(), 6)
    assert.deepEqual(answerTo(id('m4')), { ok: { booking_id: id('b2') } })
    for (const { reply } of world.answers.slice(before)) assert.ok('ok' in reply)
  })

  test('continues a chain that is too long for one batch through the broker, to its end', async () => {
    const countDown = (_: unknown, message: unknown, { id: self }: Context): Decision<Tagged> => {
      const { booking_id, number_of_tickets: n } = message as { booking_id: string; number_of_tickets: number }
      if (n === 1) return { events: [], reply: { ok: { is_over: true } } }
      const command = { type: 'ReleaseSeats' as const, booking_id, number_of_tickets: n - 1 }
      return { events: [], then: [{ send: 'show', id: self, command }] }
    }
    world.start('one', { rules: { ...actors, show: { ...show, decide: { ...show.decide, ReleaseSeats: countDown } } } })
    await ask('show', showId, { type: 'ReleaseSeats', booking_id: id('b1'), number_of_tickets: 50 } as never, id('m1'))
    assert.deepEqual(answerTo(id('m1')), { ok: { is_over: true } })
    assert.equal(
      world.commits.reduce((sum, { turns }) => sum + turns, 0),
      50,
    )
    assert.ok(world.commits.length > 1)
  })
})

describe('two workers', () => {
  test('share the partitions, and reach each other’s actors through the broker', async () => {
    const [one, two] = [world.start('one'), world.start('two')]
    await world.until('they share', () => owned(one) === 4 && owned(two) === 4)
    await ask('show', showId, creation, id('m1'))
    for (const name of ['b1', 'b2', 'b3']) await ask('booking', id(name), wish, id(`m ${name}`))
    assert.equal(await reserved(), 9)
    assert.equal(new Set(world.commits.map(({ worker }) => worker)).size, 2)
    assert.ok(world.published.some(({ subject }) => subject.endsWith('ReserveSeats')))
  })

  test('one leaves in good order: the other has everything at once, without waiting for a lease or a beat', async () => {
    const [one, two] = [world.start('one'), world.start('two')]
    await world.until('they share', () => owned(one) === 4 && owned(two) === 4)
    await world.while(one.keeper.stop())
    const atMs = world.clock.monotonicMs()
    await world.until('the other has them all', () => owned(two) === 8)
    assert.ok(world.clock.monotonicMs() - atMs < 10, 'the offer was not heard')
    assert.deepEqual(two.taken, { free: 8, expired: 0 })
    await ask('show', showId, creation, id('m1'))
  })

  test('one dies after its commit and before it told anybody: the other tells it', async () => {
    const mute = world.start('mute')
    await world.until('it owns all', () => owned(mute) === 8)
    mute.broker.publisher.publish = () => new Promise(() => {})
    mute.broker.publisher.reply = () => {}
    await world.ask('show', showId, creation, id('m1'))
    await world.until('it is committed', () => world.commits.length === 1)
    await world.ask('booking', id('b1'), wish, id('m2'))
    await world.until('that too', () => world.commits.length === 2)
    await world.until('it is seen that nobody hears of it', () => mute.untoldMs > 500)
    void mute.keeper.stop()
    mute.engine.drop(mute.engine.partitions)
    assert.equal(answered(id('m2')), false)

    world.start('heir')
    await world.until('it is answered', () => answered(id('m2')))
    await world.until('the event is out', () =>
      world.published.some(({ subject }) => subject.endsWith('BookingMade_v1')),
    )
    await world.until('its effect is, as one that may be a repetition', () =>
      world.published.some(({ subject, headers }) => subject.endsWith('.BookTickets') && headers['Told-Again']),
    )
    assert.equal(await reserved(), 3)
  })

  test('tells a message of a chain a second time: who asked is answered under the id of the request', async () => {
    world.start('one')
    await ask('show', showId, creation, id('m1'))
    await ask('booking', id('b1'), wish, id('m2'))
    const partition = partitionOf(id('b1'), partitions)
    const turns = await world.store.readJournal(partition, 0, 100)
    const granted = turns.find(({ message }) => message.type === 'SeatsReserved')
    assert.ok(granted)
    const { kind, actorId, messageId, message: command, meta } = granted
    world.answers.length = 0
    const address = { kind, id: actorId }
    await world.while(world.client.publisher.publish([{ to: 'mailbox', address, messageId, command, meta }]))
    await world.until('it is answered', () => answered(id('m2')))
    assert.deepEqual(world.answerTo(id('m2')), { ok: { booking_id: id('b1') } })
  })

  test('one that slept past its lease changes nothing, says so once, and takes its share again', async () => {
    let sleeping: Promise<void> | undefined
    let wake = (): void => {}
    const paused = (store: Store): Store => {
      const pausing = override(store, 'heartbeat', async (worker, leaseMs, lag, next) => {
        await sleeping
        return next(worker, leaseMs, lag)
      })
      return override(pausing, 'commit', async (batch, next) => {
        await sleeping
        return next(batch)
      })
    }
    const sleeper = world.start('sleeper', { wrap: paused })
    await world.until('it owns all', () => owned(sleeper) === 8)
    await ask('show', showId, creation, id('m1'))
    sleeping = new Promise((resolve) => {
      wake = resolve
    })
    await world.ask('booking', id('b1'), wish, id('m2'))
    await world.while(world.clock.sleep(100))
    const other = world.start('other')
    await world.until('the other has taken all', () => owned(other) === 8)
    await world.until('and answered', () => answered(id('m2')))
    assert.deepEqual(other.taken, { free: 0, expired: 8 })
    const commits = world.commits.length
    sleeping = undefined
    wake()
    await world.until('they share again', () => owned(sleeper) === 4 && owned(other) === 4)
    assert.equal(sleeper.lines.filter((line) => line.startsWith('fenced')).length, 1)
    assert.equal(sleeper.fenced, 8)
    assert.equal(world.commits.length, commits)
    assert.equal(await reserved(), 3)
    await ask('booking', id('b2'), wish, id('m3'))
    assert.equal(await reserved(), 6)
  })
})

describe('a commit', () => {
  /** Meddles with the commits that hold a turn of this booking. */
  const meddling = (booking: string, meddle: (batch: Commit, next: Store['commit']) => Promise<CommitResult>) => {
    return (store: Store): Store =>
      override(store, 'commit', async (batch, next) => {
        const isOurs = batch.turns.some(({ actorId }) => actorId === booking)
        return isOurs ? meddle(batch, next) : next(batch)
      })
  }
  const bookTwo = async (): Promise<void> => {
    await ask('show', showId, creation, id('m1'))
    await world.ask('booking', id('b1'), wish, id('m2'))
    await world.ask('booking', id('b2'), wish, id('m3'))
    await world.until('both are answered', () => answered(id('m2')) && answered(id('m3')))
  }

  for (const wentIn of [true, false]) {
    test(`of unknown outcome that ${wentIn ? 'went in' : 'did not go in'} happens once`, async () => {
      let faults = 0
      const wrap = meddling(id('b1'), async (batch, next) => {
        if (faults++ > 0) return next(batch)
        if (wentIn) await next(batch)
        return { outcome: 'unknown', error: new Error('the line is dead') }
      })
      const one = world.start('one', { wrap })
      await bookTwo()
      assert.ok(faults > 0)
      assert.equal(await reserved(), 6)
      assert.deepEqual(answerTo(id('m2')), { ok: { booking_id: id('b1') } })
      // What nobody can know to have gone in is not counted, and nothing twice.
      const heads = await world.store.heads()
      const turns = heads.reduce((sum, head) => sum + head, 0)
      if (wentIn) assert.ok(one.committed < turns, `${one.committed} of ${turns} turns were counted`)
      else assert.equal(one.committed, turns)
    })
  }

  test('of unknown outcome whose backend lives on cannot go in later', async () => {
    let late: (() => Promise<CommitResult>) | undefined
    const wrap = meddling(id('b1'), async (batch, next) => {
      if (late) return next(batch)
      late = () => next(batch)
      return { outcome: 'unknown', error: new Error('the line is dead') }
    })
    world.start('one', { wrap })
    await bookTwo()
    assert.equal((await late?.())?.outcome, 'fenced')
    assert.equal(await reserved(), 6)
  })

  test('that Postgres refuses is taken apart: one message becomes a dead letter, the others go through', async () => {
    const wrap = meddling(id('b1'), async () => ({ outcome: 'rejected', error: new Error('no such character') }))
    world.start('one', { wrap })
    await bookTwo()
    assert.deepEqual(
      world.store.deadLetters.map(({ code, messageId }) => ({ code, messageId })),
      [{ code: 'commit-rejected', messageId: id('m2') }],
    )
    assert.equal((answerTo(id('m2')) as { refused: string }).refused, 'dead-letter')
    assert.deepEqual(answerTo(id('m3')), { ok: { booking_id: id('b2') } })
    assert.equal(await reserved(), 3)
  })
})

describe('a partition', () => {
  test('whose reading breaks is read on from where it was', async () => {
    const worker = world.start('one')
    await ask('show', showId, creation, id('m1'))
    // Another reader with the same epoch shuts ours out.
    for (const { id: partition, epoch, taken } of worker.engine.partitions) {
      await world.while(worker.broker.mailboxes.open(partition, epoch, taken, { ready() {}, lost() {} }))
    }
    await ask('booking', id('b1'), wish, id('m2'))
    assert.equal(await reserved(), 3)
  })

  test('is forgotten up to where all have passed', async () => {
    world.start('one')
    await ask('show', showId, creation, id('m1'))
    const created = world.broker.streams.mailbox.state.lastSequence
    await ask('booking', id('b1'), wish, id('m2'))
    const { mailbox } = world.broker.streams
    assert.ok(mailbox.messages.some(({ sequence }) => sequence <= created))
    await world.until('it is purged', () => mailbox.messages.every(({ sequence }) => sequence > created))
  })
})

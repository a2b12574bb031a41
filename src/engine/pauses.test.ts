import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { BookingState } from '../../schemas/booking.ts'
import type { ShowState } from '../../schemas/show.ts'
import { partitionOf } from '../actor/ids.ts'
import type { Pause, Store } from './ports.ts'
import { creation, id, idIn, override, partitions, showId, World, wish } from './world.fixtures.ts'

const heard = 'heard what is paused from now on'
const showPaused: Pause = { target: 'actor', name: `show.${showId}` }

let world: World
beforeEach(() => {
  world = new World()
})

async function stateOf<T>(kind: string, actorId: string): Promise<T | undefined> {
  const actor = await world.store.actor({ kind, id: actorId, partition: partitionOf(actorId, partitions) })
  return actor?.state as T | undefined
}
const reserved = async (): Promise<number | undefined> => {
  const state = await stateOf<ShowState>('show', showId)
  return state?.status === 'on-sale' ? state.reserved : undefined
}
const statusOf = async (booking: string) => (await stateOf<BookingState>('booking', booking))?.status
const refusalOf = (messageId: string): string | undefined => {
  const reply = world.answerTo(messageId)
  return reply && 'refused' in reply ? reply.refused : undefined
}

/** A worker and a show, and then the pause, when the worker has heard of it. */
async function startPaused(pause: Pause, wrap?: (store: Store) => Store) {
  const worker = world.start('one', wrap && { wrap })
  await world.askAndWait('show', showId, creation, id('creation'))
  world.store.pause(pause)
  await world.until('the worker has heard of it', () => worker.lines.includes(heard))
  return worker
}

/** What `turnstile resume` does, once the pause is over: sends back what was set aside, in the order in which it came. */
async function requeue(): Promise<void> {
  const letters = world.store.deadLetters.map(({ kind, actorId, type, payload, messageId, meta, attempts }) => {
    return { to: 'origin' as const, address: { kind, id: actorId }, type, payload, messageId, meta, round: attempts }
  })
  await world.while(world.client.publisher.publish(letters))
}

describe('messages to a paused actor', () => {
  test('wait, while others of its partition go on; resumed, each is done once', async () => {
    const [paused, other] = [idIn(3, 'paused'), idIn(3, 'other')]
    const worker = await startPaused({ target: 'actor', name: `booking.${paused}` })
    await world.askAndWait('booking', paused, wish, id('m1'))
    await world.askAndWait('booking', other, wish, id('m2'))
    assert.equal(refusalOf(id('m1')), 'paused')
    assert.deepEqual(world.answerTo(id('m2')), { ok: { booking_id: other } })
    assert.equal(await statusOf(paused), undefined)
    const [letter, ...more] = world.store.deadLetters
    assert.deepEqual([letter?.code, letter?.messageId, more.length], ['actor-paused', id('m1'), 0])
    // Nothing is wrong with them.
    assert.deepEqual(worker.lines.includes('dead letter'), false)
    assert.equal(worker.letters, 0)
    assert.ok(!world.published.some(({ subject }) => subject.startsWith('test.dead.')))

    world.store.resume({ target: 'actor', name: `booking.${paused}` })
    await requeue()
    await requeue()
    await world.until('it is booked', () =>
      world.answers.some(({ reply }) => 'ok' in reply && reply.ok.booking_id === paused),
    )
    assert.equal(await reserved(), 6)
  })

  test('wait as well when a turn of the same batch sends them, and the story goes on where it stopped', async () => {
    await startPaused(showPaused)
    await world.askAndWait('booking', id('b1'), wish, id('m1'))
    assert.equal(refusalOf(id('m1')), 'paused')
    assert.equal(await statusOf(id('b1')), 'reserving')
    assert.equal(await reserved(), 0)
    const [letter] = world.store.deadLetters
    assert.equal(letter?.type, 'ReserveSeats')
    assert.equal(JSON.parse(Buffer.from(letter?.payload ?? []).toString()).number_of_tickets, 3)

    world.store.resume(showPaused)
    await requeue()
    const isMade = () => world.answers.some(({ requestId, reply }) => requestId === id('m1') && 'ok' in reply)
    await world.until('who asked is answered after all', isMade)
    assert.equal(await reserved(), 3)
  })

  test('wait when their whole kind is paused, and other kinds go on', async () => {
    await startPaused({ target: 'kind', name: 'booking' })
    await world.askAndWait('booking', id('b1'), wish, id('m1'))
    await world.askAndWait('show', id('another'), creation, id('m2'))
    assert.equal(refusalOf(id('m1')), 'paused')
    assert.deepEqual(world.answerTo(id('m2')), { ok: { show_id: id('another') } })
  })

  test('are set aside once, however often they come', async () => {
    await startPaused(showPaused)
    const release = { type: 'ReleaseSeats', booking_id: id('b1'), number_of_tickets: 1 }
    // The broker takes an id in capitals for another one.
    for (const messageId of [id('m1'), id('m1').toUpperCase()]) await world.ask('show', showId, release, messageId)
    await world.until('both came', () => world.store.deadLetters[0]?.attempts === 2)
    assert.equal(world.store.deadLetters.length, 1)
  })

  test('that do not parse are dead letters like any other', async () => {
    await startPaused(showPaused)
    world.say(`test.cmd.show.${showId}.ReserveSeats`, 'no json')
    await world.until('it is kept', () => world.store.deadLetters.length === 1)
    assert.equal(world.store.deadLetters[0]?.code, 'message-unparsable')
  })
})

test('a worker that has not heard of a resume sets nothing aside any more', async () => {
  let stale: Pause[] | undefined
  const refusals: string[] = []
  await startPaused(showPaused, (store) => {
    const deaf = override(store, 'heartbeat', async (name, leaseMs, lag, next) => {
      const cluster = await next(name, leaseMs, lag)
      return { ...cluster, pauses: stale ?? cluster.pauses }
    })
    return override(deaf, 'commit', async (batch, next) => {
      const result = await next(batch)
      if (result.outcome !== 'committed') refusals.push(result.outcome)
      return result
    })
  })
  stale = [showPaused]
  world.store.resume(showPaused)
  await world.askAndWait('booking', id('b1'), wish, id('m1'))
  assert.deepEqual(world.answerTo(id('m1')), { ok: { booking_id: id('b1') } })
  assert.deepEqual(refusals, ['resumed'])
  assert.deepEqual(world.store.deadLetters, [])
})

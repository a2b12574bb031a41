import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { readTraceparent } from '../telemetry/traceparent.ts'
import { type Seen, tracerForTests } from '../telemetry/tracer.fixtures.ts'
import type { CommitResult, Meta, Store, TurnRecord } from './ports.ts'
import { creation, id, override, partitions, showId, World, wish } from './world.fixtures.ts'

const asked = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const bookingId = id('booking')

let world: World
beforeEach(() => {
  world = new World()
})

/** Books by a message with this context, and tells what was journaled. */
async function book(traceparent: string | undefined): Promise<TurnRecord[]> {
  const { requests } = world.client
  const meta: Meta = { correlationId: 'test', replyTo: requests.replyTo, requestId: id('wish') }
  if (traceparent !== undefined) meta.traceparent = traceparent
  const address = { kind: 'booking', id: bookingId }
  await world.while(requests.send({ to: 'mailbox', address, messageId: id('wish'), command: wish, meta }, 1_000))
  await world.until('the booking is answered', () => world.answerTo(id('wish')) !== undefined)
  const journals = Array.from({ length: partitions }, (_, partition) => world.store.readJournal(partition, 0, 100))
  return (await Promise.all(journals)).flat().filter(({ message }) => message.type !== 'CreateShow')
}

const metaOf = (turns: TurnRecord[], type: string): Meta => {
  const turn = turns.find(({ message }) => message.type === type)
  assert.ok(turn, type)
  return turn.meta
}

const turnsIn = (seen: Seen[]): Seen[] => seen.filter(({ name }) => name.startsWith('turn '))

/** What others are told: the public event and the effect of a booking that got its seats. */
const told = () => world.published.filter(({ subject }) => /\.evt\.booking\.|\.fx\./.test(subject))

test('the turns of a story are a tree below who asked, by the spans as by the journal, and hand on their own contexts', async () => {
  const { tracer, seen } = tracerForTests()
  world.start('one', { tracer })
  await world.askAndWait('show', showId, creation, id('creation'))
  const turns = await book(asked)
  const [wished, reserved, made] = ['BookShowTickets', 'ReserveSeats', 'SeatsReserved'].map((type) =>
    metaOf(turns, type),
  )
  assert.deepEqual(
    [wished?.parent, reserved?.parent, made?.parent],
    [asked, wished?.traceparent, reserved?.traceparent],
  )
  await world.until('all is told', () => told().length === 2)
  for (const { headers } of told()) assert.equal(headers.traceparent, made?.traceparent)

  const spans = new Map(seen().map((span) => [span.traceparent, span]))
  for (const { meta, message } of turns) {
    const span = spans.get(meta.traceparent ?? '')
    assert.equal(span?.name.split('.').at(-1), message.type)
    assert.equal(span?.parent, meta.parent)
  }
  const commits = seen().filter(({ name }) => name === 'commit')
  assert.deepEqual(
    commits.flatMap(({ links }) => links).sort(),
    turnsIn(seen())
      .map(({ traceparent }) => traceparent)
      .sort(),
  )
})

test('a commit that went in unheard is shown from the journal, as it was decided', async () => {
  const { tracer, seen } = tracerForTests()
  let faults = 0
  const wrap = (store: Store): Store =>
    override(store, 'commit', async (batch, next): Promise<CommitResult> => {
      const result = await next(batch)
      const isLost = batch.turns.some(({ kind }) => kind === 'booking') && faults++ === 0
      return isLost ? { outcome: 'unknown', error: new Error('the connection broke') } : result
    })
  world.start('one', { tracer, wrap })
  await world.askAndWait('show', showId, creation, id('creation'))
  const turns = await book(asked)
  assert.equal(faults > 0, true)
  const again = turnsIn(seen()).filter(({ attributes }) => attributes['turnstile.told_again'])
  const contexts = (metas: { traceparent?: string; parent?: string | undefined }[]) =>
    metas.map(({ traceparent, parent }) => `${parent} ${traceparent}`).sort()
  assert.deepEqual(contexts(again), contexts(turns.map(({ meta }) => meta)))
  assert.equal(turnsIn(seen()).length, turns.length + 1, 'each once, beside the creation of the show')
})

test('what is decided again has the context that it had, and what was rolled back leaves no span', async () => {
  const { tracer, seen } = tracerForTests()
  const decided: (string | undefined)[][] = []
  const wrap = (store: Store): Store =>
    override(store, 'commit', async (batch, next): Promise<CommitResult> => {
      if (batch.turns.every(({ kind }) => kind !== 'booking')) return next(batch)
      decided.push(batch.turns.map(({ meta }) => meta.traceparent))
      return decided.length === 1 ? { outcome: 'fenced', partitions: [] } : next(batch)
    })
  world.start('one', { tracer, wrap })
  await world.askAndWait('show', showId, creation, id('creation'))
  const turns = await book(asked)
  assert.deepEqual(decided[0], decided[1])
  assert.equal(turnsIn(seen()).length, turns.length + 1)
})

test('a story that is not followed goes on with the context that it came with', async () => {
  const unfollowed = asked.replace(/1$/, '0')
  const { tracer, seen } = tracerForTests()
  world.start('one', { tracer })
  await world.askAndWait('show', showId, creation, id('creation'))
  const before = seen().length
  const turns = await book(unfollowed)
  for (const { meta } of turns) assert.deepEqual([meta.traceparent, meta.parent], [unfollowed, undefined])
  assert.equal(seen().length, before)
})

test('a message without a context begins a trace at its turn, and whether it is followed is decided once for all of it', async () => {
  for (const ratio of [1, 0]) {
    world = new World()
    const { tracer, seen } = tracerForTests(ratio)
    world.start('one', { tracer })
    await world.askAndWait('show', showId, creation, id('creation'))
    const contexts = (await book(undefined)).map(({ meta }) => readTraceparent(meta.traceparent ?? ''))
    assert.equal(new Set(contexts.map((context) => context.traceId)).size, 1)
    assert.deepEqual(new Set(contexts.map((context) => context.isSampled)), new Set([ratio === 1]))
    assert.equal(seen().length > 0, ratio === 1)
  }
})

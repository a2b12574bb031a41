import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { z } from 'zod'
import { actors } from '../../actors/index.ts'
import type { Actor, Tagged } from '../actor/actor.ts'
import { tracerForTests } from '../telemetry/tracer.fixtures.ts'
import type { CommitResult, Store, TurnRecord } from './ports.ts'
import { creation, id, idIn, override, partitions, showId, World } from './world.fixtures.ts'

type State = { at: string | null; rang: number }
type Command = { type: 'Set'; at: string } | { type: 'Clear' } | { type: 'Ring' }
type Event = { type: 'IsSet_v1'; at: string } | { type: 'IsCleared_v1' } | { type: 'Rang_v1' }

/** Rings at the time it is told. */
const reminder: Actor<State, Command, Event> = {
  kind: 'reminder',
  schemas: {
    state: z.strictObject({ at: z.string().nullable(), rang: z.number() }),
    messages: {
      Set: z.object({ type: z.literal('Set'), at: z.string() }),
      Clear: z.object({ type: z.literal('Clear') }),
      Ring: z.object({ type: z.literal('Ring') }),
    },
    events: {
      IsSet_v1: z.strictObject({ type: z.literal('IsSet_v1'), at: z.string() }),
      IsCleared_v1: z.strictObject({ type: z.literal('IsCleared_v1') }),
      Rang_v1: z.strictObject({ type: z.literal('Rang_v1') }),
    },
  },
  initial: { at: null, rang: 0 },
  decide: {
    Set: (_, { at }) => ({ events: [{ type: 'IsSet_v1', at }] }),
    Clear: () => ({ events: [{ type: 'IsCleared_v1' }] }),
    Ring: (state, _, { at }) =>
      state.at !== null && state.at <= at ? { events: [{ type: 'Rang_v1' }] } : { ignore: 'it is too early' },
  },
  evolve: {
    IsSet_v1: (state, { at }) => ({ ...state, at }),
    IsCleared_v1: (state) => ({ ...state, at: null }),
    Rang_v1: (state) => ({ at: null, rang: state.rang + 1 }),
  },
  alarm: (state) => (state.at === null ? undefined : { at: state.at, command: { type: 'Ring' } }),
}

let world: World
const rules = { ...actors, reminder }
beforeEach(() => {
  world = new World()
})

const nowMs = (): number => world.clock.monotonicMs()
const inMs = (ms: number): string => new Date(nowMs() + ms).toISOString()
const say = (to: string, { type, ...fields }: Tagged): void =>
  world.say(`test.cmd.reminder.${to}.${type}`, JSON.stringify(fields))

async function journalOf(actorId: string): Promise<TurnRecord[]> {
  const all = [...Array(partitions).keys()].map((partition) => world.store.readJournal(partition, 0, 10_000))
  return (await Promise.all(all)).flat().filter((turn) => turn.actorId === actorId)
}

const ringsOf = async (actorId: string): Promise<TurnRecord[]> =>
  (await journalOf(actorId)).filter(({ message }) => message.type === 'Ring')

const pass = (ms: number): Promise<void> => world.while(world.clock.sleep(ms))

async function armed(): Promise<number> {
  const rows = await world.store.readPartitions([...Array(partitions).keys()])
  return rows.reduce((sum, row) => sum + row.armed, 0)
}

describe('an alarm', () => {
  const who = id('reminder')

  test('goes off once, never early and at most a second late, in the story that it was set in', async () => {
    world.start('one', { rules })
    const at = inMs(5_000)
    say(who, { type: 'Set', at } as Tagged)
    await pass(4_900)
    assert.deepEqual(await ringsOf(who), [])
    assert.equal(await armed(), 1)
    await pass(1_100)
    const [ring, ...others] = await ringsOf(who)
    assert.deepEqual(others, [])
    assert.ok(ring && ring.at >= at && Date.parse(ring.at) - Date.parse(at) < 1_000)
    const [set] = await journalOf(who)
    assert.equal(ring.meta.correlationId, set?.meta.correlationId)
    assert.equal(ring.decision.outcome, 'accepted')
    await pass(5_000)
    assert.equal((await ringsOf(who)).length, 1)
    assert.equal(await armed(), 0)
  })

  test('is, in a trace, below the turn that set it', async () => {
    const { tracer, seen } = tracerForTests()
    world.start('one', { rules, tracer })
    say(who, { type: 'Set', at: inMs(500) } as Tagged)
    await world.until('it goes off', () => seen().some(({ name }) => name === 'turn reminder.Ring'))
    const [set, ring] = await journalOf(who)
    assert.ok(set?.meta.traceparent)
    assert.equal(ring?.meta.parent, set.meta.traceparent)
  })

  test('that is moved goes off at its new time only, and one that is canceled never', async () => {
    world.start('one', { rules })
    const other = id('other')
    for (const one of [who, other]) say(one, { type: 'Set', at: inMs(2_000) } as Tagged)
    await pass(500)
    say(who, { type: 'Set', at: inMs(4_000) } as Tagged)
    say(other, { type: 'Clear' })
    await pass(3_500)
    assert.deepEqual(await ringsOf(who), [])
    await pass(2_000)
    assert.equal((await ringsOf(who)).length, 1)
    assert.deepEqual(await ringsOf(other), [])
  })

  test('that came due while nobody was there goes off when somebody is', async () => {
    const one = world.start('one', { rules })
    say(who, { type: 'Set', at: inMs(2_000) } as Tagged)
    await pass(1_000)
    await world.while(one.keeper.stop())
    await world.while(one.engine.stop())
    await world.while(one.redriver.stop())
    await pass(86_400_000)
    world.start('two', { rules })
    await pass(2_500)
    assert.equal((await ringsOf(who)).length, 1)
  })

  test('whose commit came to an unknown end goes off once', async () => {
    const results: CommitResult[] = []
    const wrap = (store: Store): Store =>
      override(store, 'commit', async (batch, next): Promise<CommitResult> => {
        const result = await next(batch)
        if (!batch.turns.some(({ message }) => message.type === 'Ring') || results.length > 0) return result
        results.push(result)
        return { outcome: 'unknown', error: new Error('the connection was cut') }
      })
    world.start('one', { rules, wrap })
    say(who, { type: 'Set', at: inMs(1_000) } as Tagged)
    await pass(5_000)
    assert.deepEqual(results, [{ outcome: 'committed' }])
    assert.equal((await ringsOf(who)).length, 1)
    assert.equal(await armed(), 0)
  })

  test('that cannot be dealt with becomes a dead letter, once, and stays off until the actor is told something', async () => {
    const { decide } = reminder
    const broken = { ...reminder, decide: { ...decide, Ring: () => JSON.parse('{') } }
    const worker = world.start('one', { rules: { ...actors, reminder: broken } })
    say(who, { type: 'Set', at: inMs(1_000) } as Tagged)
    await pass(5_000)
    const [letter, ...others] = world.store.deadLetters
    assert.deepEqual(others, [])
    assert.deepEqual([letter?.code, letter?.type, letter?.attempts], ['turn-threw', 'Ring', 1])
    assert.equal(worker.lines.filter((line) => line === 'dead letter').length, 1)
    assert.equal(await armed(), 0)
  })

  test('whose actor cannot be loaded takes nothing along that came with it', async () => {
    const one = world.start('one', { rules })
    say(who, { type: 'Set', at: inMs(2_000) } as Tagged)
    await pass(1_000)
    await world.while(one.keeper.stop())
    await world.while(one.engine.stop())
    let failures = 0
    const wrap = (store: Store): Store => {
      const failing = override(store, 'load', async (addresses, next) => {
        if (failures === 3 || addresses.every(({ id }) => id !== who)) return next(addresses)
        failures += 1
        throw new Error('the connection was cut')
      })
      // While the worker finds out how things stand, the alarm and what comes from outside wait for the same batch.
      return override(failing, 'readPartitions', async (ids, next) => {
        await world.clock.sleep(150)
        return next(ids)
      })
    }
    world.start('two', { rules, wrap })
    await world.until('the alarm cannot be loaded', () => failures > 0)
    await world.ask('show', showId, creation, id('question'))
    await world.until('all is well again', () => failures === 3)
    await pass(2_000)
    assert.equal((await ringsOf(who)).length, 1)
    assert.deepEqual(world.answerTo(id('question')), { ok: { show_id: showId } })
  })

  test('that Postgres refuses becomes a dead letter, and holds up nobody', async () => {
    const wrap = (store: Store): Store =>
      override(store, 'commit', async (batch, next): Promise<CommitResult> => {
        const isRefused = batch.turns.some(({ message, actorId }) => message.type === 'Ring' && actorId === who)
        return isRefused ? { outcome: 'rejected', error: new Error('no') } : next(batch)
      })
    world.start('one', { rules, wrap })
    const other = id('other')
    for (const one of [who, other]) say(one, { type: 'Set', at: inMs(1_000) } as Tagged)
    await pass(5_000)
    assert.deepEqual(
      world.store.deadLetters.map(({ code, actorId }) => [code, actorId]),
      [['commit-rejected', who]],
    )
    assert.equal((await ringsOf(other)).length, 1)
  })

  test('of a paused actor is set aside with its other messages', async () => {
    world.start('one', { rules })
    say(who, { type: 'Set', at: inMs(3_000) } as Tagged)
    await pass(500)
    world.store.pause({ target: 'kind', name: 'reminder' })
    await pass(5_000)
    assert.deepEqual(await ringsOf(who), [])
    assert.deepEqual(
      world.store.deadLetters.map(({ code, type, attempts }) => [code, type, attempts]),
      [['actor-paused', 'Ring', 1]],
    )
    assert.equal(await armed(), 0)
  })

  test('that its actor does not take off goes off once all the same', async () => {
    const deaf = { ...reminder, decide: { ...reminder.decide, Ring: () => ({ ignore: 'what?' }) } }
    world.start('one', { rules: { ...actors, reminder: deaf } })
    say(who, { type: 'Set', at: inMs(1_000) } as Tagged)
    await pass(5_000)
    assert.equal((await ringsOf(who)).length, 1)
    assert.equal(await armed(), 0)
  })
})

test('a thousand alarms that are due at once go off bit by bit, and whoever asks meanwhile is answered', async () => {
  const batches: { rings: number; others: number }[] = []
  const wrap = (store: Store): Store =>
    override(store, 'commit', async (batch, next): Promise<CommitResult> => {
      const rings = batch.turns.filter(({ message }) => message.type === 'Ring').length
      batches.push({ rings, others: batch.turns.length - rings })
      await world.clock.sleep(5)
      return next(batch)
    })
  world.start('one', { rules, wrap, batchMessages: 100 })
  const at = inMs(60_000)
  const who = Array.from({ length: 1_000 }, (_, i) => idIn(i % partitions, `reminder ${i}`))
  for (const one of who) say(one, { type: 'Set', at } as Tagged)
  await pass(59_990)
  await world.while(world.ask('show', showId, creation, id('question')))
  await world.until('the question is answered', () => world.answerTo(id('question')) !== undefined)
  const ringing = batches.filter(({ rings }) => rings > 0)
  assert.ok(ringing.reduce((sum, { rings }) => sum + rings, 0) < 1_000)
  await pass(2_000)
  assert.ok(batches.every(({ rings }) => rings <= 25))
  assert.equal(
    batches.reduce((sum, { rings }) => sum + rings, 0),
    1_000,
  )
})

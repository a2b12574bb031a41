import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { Commit, Store } from './ports.ts'
import { creation, id, override, showId, World, wish } from './world.fixtures.ts'

let world: World
beforeEach(() => {
  world = new World()
})

const release = { type: 'ReleaseSeats', booking_id: id('b1'), number_of_tickets: 1 }

/** Starts a worker with a show. @returns the commits that it makes from now on, and when each was sent, in milliseconds from now */
async function start(batchMessages: number): Promise<{ atMs: number; turns: number }[]> {
  const commits: { atMs: number; turns: number }[] = []
  let startMs = 0
  const noting = (store: Store) =>
    override(store, 'commit', (batch: Commit, commit) => {
      commits.push({ atMs: world.clock.monotonicMs() - startMs, turns: batch.turns.length })
      return commit(batch)
    })
  world.start('one', { wrap: noting, batchMessages })
  await world.askAndWait('show', showId, creation, id('m0'))
  await world.while(world.clock.sleep(100))
  commits.length = 0
  startMs = world.clock.monotonicMs()
  return commits
}

/** So many messages, one each millisecond. */
async function trickle(count: number): Promise<void> {
  for (let i = 1; i <= count; i++) {
    world.say(`test.cmd.show.${showId}.ReleaseSeats`, JSON.stringify(release), id(`m${i}`))
    await world.while(world.clock.sleep(1))
  }
}

describe('the pace of batches', () => {
  test('what trickles in after a batch was taken is in one batch, 10 ms later', async () => {
    const commits = await start(100)
    await trickle(40)
    await world.until('all have had their turn', () => commits.reduce((sum, { turns }) => sum + turns, 0) === 40)
    assert.ok(commits.length <= 6, JSON.stringify(commits))
    for (const [index, { atMs }] of commits.entries()) {
      const beforeMs = commits[index - 1]?.atMs
      assert.ok(beforeMs === undefined || atMs - beforeMs >= 10, JSON.stringify(commits))
    }
  })

  test('the first message after a quiet time waits for nobody', async () => {
    const commits = await start(100)
    await trickle(1)
    await world.until('it has had its turn', () => commits.length === 1)
    await world.while(world.clock.sleep(50))
    const sentMs = world.clock.monotonicMs()
    await world.askAndWait('booking', id('b1'), wish, id('m2'))
    const tookMs = world.clock.monotonicMs() - sentMs
    assert.ok(tookMs < 10, `${tookMs} ms`)
  })

  test('while more waits than a batch holds there is no rest', async () => {
    const commits = await start(2)
    for (let i = 1; i <= 20; i++)
      world.say(`test.cmd.show.${showId}.ReleaseSeats`, JSON.stringify(release), id(`m${i}`))
    await world.until('all have had their turn', () => commits.reduce((sum, { turns }) => sum + turns, 0) === 20)
    const tookMs = (commits.at(-1)?.atMs ?? 0) - (commits[0]?.atMs ?? 0)
    assert.ok(commits.length >= 10 && tookMs < 10, JSON.stringify(commits))
  })
})

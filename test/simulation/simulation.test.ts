import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type PlantedBug, plantedBugs } from './bugs.ts'
import { everySight, Sightings } from './sightings.ts'
import { type Result, simulate } from './simulation.ts'

const replay = ({ seed, violation, lastLines }: Result): string =>
  `${lastLines.join('\n')}\n${violation?.invariant}: ${violation?.details}\nagain: npm run sim -- --seed ${seed} --trace`

test('ten seeds keep every promise', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const result = await simulate(seed)
    assert.equal(result.violation, undefined, replay(result))
    assert.ok(result.turns > 0)
  }
})

test('the same seed is the same story, to the last event', async () => {
  const [once, again, other] = [await simulate(7), await simulate(7), await simulate(8)]
  assert.deepEqual(again, once)
  assert.notEqual(other.digest, once.digest)
})

test('what a batch of seeds has not seen is named', async () => {
  const sightings = new Sightings()
  sightings.add((await simulate(1)).sightings)
  assert.ok(sightings.counts.size > 0)
  assert.deepEqual(
    sightings.unseen,
    everySight.filter((sight) => !sightings.counts.has(sight)),
  )
  assert.ok(sightings.unseen.includes('dead letter effect-exhausted'))
})

/** Within how many seeds, from the first on, each is found. */
const foundWithin: Record<PlantedBug, number> = {
  'acknowledges before the commit': 30,
  'reads from one too far': 30,
  'no fence': 60,
  'no dedupe': 30,
  'a commit demands no cursor': 180,
  'a claim does not raise the epoch': 30,
  'the alarm is not in the commit': 30,
  'publishes before the commit': 30,
  'answers before the commit': 30,
  'does not wait until the broker has stored it': 120,
  'forgets what lies past published': 30,
  'keeps in the cache what a failed commit left there': 30,
  'goes on from where a failed commit would have ended': 30,
  'takes an unknown commit for failed': 60,
  'takes an unknown commit for committed': 30,
  'an outcome has another id each time': 30,
  'an effect is done before its outcome is told': 30,
  'a row is appended without looking whether it is there': 60,
  'a bundle does not ask for what is to be undone': 30,
  'a bundle does not undo what turns out booked after its end': 150,
  'a bundle has no deadline': 30,
  'a commit does not hold its pauses': 30,
  'a redrive takes everything for taken': 90,
  'a loss of a stream orders no redrive': 90,
  'the position of a read model is not in the statement of its rows': 30,
  'a write of read models demands no position': 60,
}

describe('a planted bug is found:', () => {
  for (const [name, seeds] of Object.entries(foundWithin)) {
    test(`${name}, within ${seeds} seeds`, async () => {
      const bug = plantedBugs[name as PlantedBug]
      for (let seed = 1; seed <= seeds; seed++) if ((await simulate(seed, { bug })).violation) return
      assert.fail(`${seeds} seeds have not shown it`)
    })
  }
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { actors } from '../actors/index.ts'
import { readJournal, recordedJournals } from '../ops/record-journal/file.ts'
import { record } from '../ops/record-journal/main.ts'
import { erasedEmail, eraserOf, eraseValue } from '../src/actor/erasure.ts'
import { openArchive } from '../src/archive/read.ts'
import { projections } from '../src/projections/index.ts'
import { inspect, type WholeRecord } from '../src/store/memory-inspection.ts'
import { verify } from '../src/verify/verify.ts'

/** Recorded before there were alarms: the migration that brought them sets those of bookings that wait. */
const beforeAlarms = '0001-0.1.0.jsonl'

/** @returns the checks that found something, with what they found first */
async function broken(journal: WholeRecord) {
  const { verdicts } = await verify(inspect(journal), {
    actors,
    readModels: projections,
    archive: openArchive(),
    graceMs: 600_000,
    onProgress: () => {},
  })
  return Object.entries(verdicts).filter(([, { differences }]) => differences > 0)
}

const eventsIn = ({ turns }: WholeRecord): Set<string> =>
  new Set(turns.flatMap(({ kind, decision }) => (decision.events ?? []).map(({ type }) => `${kind} ${type}`)))

describe('journals recorded by this build and earlier ones', () => {
  const names = recordedJournals()

  for (const name of names) {
    test(`${name} is read, folded and found right, and so it is when its customers are erased`, async () => {
      const journal = readJournal(name)
      assert.ok(journal.turns.length > 200)
      const isExpected = ([check]: [string, unknown]) => name === beforeAlarms && check === 'alarms'
      assert.deepEqual(
        (await broken(journal)).filter((found) => !isExpected(found)),
        [],
      )
      // A fold takes an address for what it is: the fold of erased events is the erased state.
      const addresses = new Set(JSON.stringify(journal.turns).match(/[\w.+-]+@[\w.-]+/g))
      assert.ok(addresses.size > 0)
      for (const address of addresses) {
        const erase = eraserOf(address)
        journal.turns = eraseValue(journal.turns, erase) as WholeRecord['turns']
        journal.actors = eraseValue(journal.actors, erase) as WholeRecord['actors']
      }
      assert.deepEqual(new Set(JSON.stringify(journal).match(/[\w.+-]+@[\w.-]+/g)), new Set([erasedEmail]))
      assert.deepEqual(
        (await broken(journal)).filter((found) => !isExpected(found)),
        [],
      )
    })
  }

  test('the newest has every event that there is: when it has not, npm run record-journal writes the next', () => {
    const all = Object.values(actors).flatMap(({ kind, schemas }) =>
      Object.keys(schemas.events).map((type) => `${kind} ${type}`),
    )
    const recorded = eventsIn(readJournal(names.at(-1) ?? ''))
    assert.deepEqual(
      all.filter((event) => !recorded.has(event)),
      [],
    )
  })

  test('a field that is gone from an event, and a state that is another, are found', async () => {
    const journal = readJournal(names.at(-1) ?? '')
    const event = journal.turns
      .flatMap(({ decision }) => decision.events ?? [])
      .find(({ type }) => type === 'BookingMade_v1')
    delete (event as { customer_email?: string }).customer_email
    const show = journal.actors.find(({ kind }) => kind === 'show')
    Object.assign(show?.state as object, { reserved: 77 })
    assert.deepEqual(
      (await broken(journal)).map(([name]) => name),
      ['events', 'states'],
    )
  })

  test('what the present build records is right too, and sends both ways', async () => {
    const journal = await record()
    assert.deepEqual(await broken(journal), [])
    const sends = journal.turns.flatMap(({ decision }) => decision.sends ?? [])
    assert.ok(sends.some((send) => 'joined' in send) && sends.some((send) => !('joined' in send)))
  })
})

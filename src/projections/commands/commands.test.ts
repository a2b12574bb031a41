import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RebuildStore, Standing } from '../../engine/read-model-ports.ts'
import { hasCode } from '../../errors.ts'
import { list } from './list.ts'
import { rebuildOne } from './rebuild.ts'

/** What a command prints, with a store that has nothing to fold. */
async function run(
  command: typeof list,
  args: string[],
  standings: Standing[] = [],
  acts: object[] = [],
): Promise<string> {
  const out: string[] = []
  const store: RebuildStore = {
    lags: async () => [],
    readEvents: async () => [],
    loadRows: async () => [],
    write: async () => true,
    begin: async () => true,
    swap: async () => true,
    archiveFiles: async () => [],
    standings: async () => standings,
    close: async () => {},
  }
  const print = (text: string) => void out.push(text)
  const audit = { append: async (act: object, by: object) => void acts.push({ ...act, ...by }) }
  assert.equal(await command.run(args, { store, audit, user: 'ada', print, printProgress: () => {} }), 0)
  return out.join('')
}

const standings = [
  { name: 'ops_bookings', turns: 1_200, lag: 0 },
  { name: 'ops_bookings_rebuild', turns: 70, lag: 1_130 },
]

test('list shows how far each has come, also one that is being rebuilt', async () => {
  assert.equal(
    await run(list, [], standings),
    'NAME                  TURNS  LAG\nops_bookings          1200   0\nops_bookings_rebuild  70     1130\n',
  )
  const lines = (await run(list, ['--json'], standings)).trim().split('\n')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    standings,
  )
  assert.match(await run(list, []), /role projector/)
  assert.equal(await run(list, ['--json']), '')
})

test('rebuild says what it did', async () => {
  assert.match(await run(rebuildOne, ['tickets']), /^Rebuilt tickets from 0 turns in \d\.\d s: 0 turns a second\.\n$/)
})

test('rebuild is noted before it begins', async () => {
  const acts: object[] = []
  await run(rebuildOne, ['tickets', '--reason', 'a new fold'], [], acts)
  const subject = 'read model tickets'
  assert.deepEqual(acts, [{ act: 'rebuild', subject, details: {}, who: 'ada', reason: 'a new fold' }])
})

test('rebuild takes one name, of those that there are', async () => {
  for (const args of [[], ['operas'], ['tickets', 'shows'], ['__proto__'], ['tickets_rebuild']]) {
    await assert.rejects(run(rebuildOne, args), (error) => hasCode(error, 'config-invalid'))
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock, Log } from '../engine/ports.ts'
import type { AuditStore } from '../store/audit.ts'
import { auditOf } from '../verify/audit.fixtures.ts'
import { head } from './head.ts'
import { list } from './list.ts'
import { startRefundAudit } from './refunds.ts'

const rows = auditOf(['pause', 'resume'])

/** What a command prints of a log with two rows. */
async function run(command: typeof list, ...args: string[]): Promise<string> {
  const printed: string[] = []
  const log = {
    last: async (limit: number, act?: string) =>
      rows.filter((row) => act === undefined || row.act === act).slice(-limit),
    head: async () => rows.at(-1),
  } as unknown as AuditStore
  assert.equal(await command.run(args, { log, print: (text) => void printed.push(text), columns: undefined }), 0)
  return printed.join('')
}

test('list shows what was done, to people and to programs', async () => {
  const shown = await run(list)
  assert.match(shown, /^ROW +AT +BY +ACT +TO +REASON\n1 +2030-01-01T00:00:00Z +ada +pause +service payments +a "try"/)
  assert.equal(shown.split('\n').length, 4, 'a reason cannot break a line')
  assert.deepEqual(
    (await run(list, '--json'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    rows,
  )
  assert.match(await run(list, '--act', 'resume', '--limit', '5'), /^ROW.*\n2 /)
  assert.equal(await run(list, '--act', 'erase'), 'Nothing of the kind was done.\n')
})

test('head prints what verify takes', async () => {
  assert.equal(await run(head), `2:${rows[1]?.hash}\n`)
})

test('refunds are brought in while there are any, with a pause when there are none, and after a failure too', async () => {
  const said: string[] = []
  const say = (word: string) => void said.push(word)
  let stop: () => Promise<void> = async () => {}
  const outcomes = [true, new Error('away'), false, false]
  const refunds = {
    enroll: async () => say('enroll'),
    step: async () => {
      say('step')
      const outcome = outcomes.shift() ?? false
      if (outcomes.length === 0) void stop()
      if (outcome instanceof Error) throw outcome
      return outcome
    },
  }
  const clock = { monotonicMs: () => 0, sleep: async () => say('sleep') } satisfies Clock
  const log = { debug: say, info: () => say('goes on'), warn: () => say('stands still'), error: say } as unknown as Log
  stop = startRefundAudit(refunds, clock, log)
  while (outcomes.length > 0) await new Promise((resolve) => setImmediate(resolve))
  await stop()
  assert.deepEqual(said, [
    'enroll',
    'step',
    'step',
    'stands still',
    'sleep',
    'step',
    'goes on',
    'sleep',
    'step',
    'sleep',
  ])
})

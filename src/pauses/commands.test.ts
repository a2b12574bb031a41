import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { Requeued } from '../engine/ports.ts'
import type { LetterRecord } from '../store/dead-letter-records.ts'
import type { Command, Desk } from './command.ts'
import { list } from './list.ts'
import { pause } from './pause.ts'
import { resume } from './resume.ts'

/** So many messages that nothing holds back, and what becomes of them. */
function aDesk(waiting: number) {
  const letters = Array.from({ length: waiting }, letterOf)
  const printed: string[] = []
  const published: Requeued[] = []
  const acts: unknown[] = []
  const desk = {
    pauses: {
      pause: async (...act: unknown[]) => acts.push(act) > 0,
      resume: async (...act: unknown[]) => acts.push(act) > 0,
      list: async () => [],
      leftovers: async () => [],
    },
    letters: {
      find: async (_: unknown, order: string, limit: number) => {
        assert.equal(order, 'oldest first')
        return letters.filter(({ status }) => status === 'open').slice(0, limit)
      },
      read: async (found: LetterRecord[]) => found,
      markRequeued: async (letter: LetterRecord) => {
        letter.status = 'requeued'
        return letter.status
      },
    },
    publisher: async () => ({ publish: async (messages: Requeued[]) => void published.push(...messages) }),
    print: (text: string) => void printed.push(text),
    user: 'root',
  }
  const run = async (command: Command, args: string[]) => {
    const code = await command.run(args, desk as unknown as Desk)
    return { code, out: printed.join('') }
  }
  return { letters, published, acts, desk, run }
}

function letterOf(): LetterRecord {
  const at = '2030-01-02T03:04:05.678Z'
  return {
    partition: 0,
    messageId: randomUUID(),
    revision: 1,
    kind: 'ticket',
    actorId: randomUUID(),
    type: 'RefundTicket',
    code: 'actor-paused',
    cause: 'kind ticket is paused',
    status: 'open',
    attempts: 1,
    at,
    firstAt: at,
    lastAt: at,
    payload: Uint8Array.of(123, 125),
    headers: {},
    meta: { correlationId: 'story' },
  }
}

const tickets = { target: 'kind', name: 'ticket' }

test('who pauses something says why', async () => {
  const { run, acts } = aDesk(0)
  for (const more of [[], ['--reason', ' ']]) await assert.rejects(run(pause, ['kind', 'ticket', ...more]), /--reason/)
  assert.deepEqual(acts, [])
  const { code, out } = await run(pause, ['kind', 'ticket', '--reason', 'a try'])
  assert.deepEqual([code, acts], [0, [[tickets, { who: 'root', reason: 'a try' }]]])
  assert.match(out, /^kind ticket is paused\./)
})

test('a resume ends the pause, and sends everything back, however much it is', async () => {
  const { run, letters, published, acts } = aDesk(10_001)
  const { code, out } = await run(resume, ['kind', 'ticket', '--by', 'ada'])
  assert.deepEqual([code, acts], [0, [[tickets, { who: 'ada', reason: undefined }]]])
  assert.deepEqual(
    published.map(({ messageId }) => messageId),
    letters.map(({ messageId }) => messageId),
  )
  assert.match(out, /^kind ticket is resumed\.\nrequeued .* RefundTicket\n/)
  assert.match(out, /\n10001 requeued\.\n$/)
})

test('what cannot be sent back stays, and is not tried for ever', async () => {
  const { run, desk, letters } = aDesk(3)
  desk.letters.markRequeued = async () => {
    throw new Error('the database is away')
  }
  const { code, out } = await run(resume, ['kind', 'ticket'])
  assert.equal(code, 1)
  assert.match(out, /\n3 failed\.\n$/)
  assert.ok(letters.every(({ status }) => status === 'open'))
})

test('a service has nothing to be sent back', async () => {
  const { run, published } = aDesk(1)
  assert.deepEqual(await run(resume, ['service', 'files']), { code: 0, out: 'service files is resumed.\n' })
  assert.deepEqual(published, [])
})

test('every command explains itself', () => {
  for (const [name, { help }] of Object.entries({ pause, resume, pauses: list }))
    assert.match(help, new RegExp(`^turnstile ${name}\\b`))
})

test('that nothing is paused is said', async () => {
  assert.equal((await aDesk(0).run(list, [])).out, 'Nothing is paused.\n')
})

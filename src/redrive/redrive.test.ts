import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Outgoing, Publisher } from '../engine/ports.ts'
import { MemoryStore } from '../store/memory.ts'
import { batchOf, claimed, one } from '../store/store.fixtures.ts'
import { parseOptions } from './options.ts'
import { type Desk, help, redrive } from './redrive.ts'

const bookingId = '019389c7-1f3a-7b08-8c66-2d94e5b1a703'
const callId = '019389c7-1f3a-7b08-8c66-00000000000f'
const showId = '019389c7-1f3a-7b08-8c66-000000000001'
const sendId = '019389c7-1f3a-7b08-8c66-000000000002'

/** A booking whose call and send nobody has taken, in a journal that is told to its end. */
async function aDesk(publish: (messages: Outgoing[]) => Promise<void> = async () => {}) {
  const store = new MemoryStore(4, () => 0)
  const row = one(await claimed(store, 'anna', 0))
  const decision = {
    outcome: 'accepted' as const,
    calls: [{ messageId: callId, call: 'payments' as const, request: { type: 'RefundPayment' } }],
    sends: [{ messageId: sendId, send: 'show' as const, id: showId, command: { type: 'ReleaseSeats' } as never }],
  }
  await store.commit(batchOf(row, {}, { kind: 'booking', actorId: bookingId, decision }))
  await store.saveProgress([{ id: 0, epoch: row.epoch, published: 2 }])
  const printed: string[] = []
  const published: Outgoing[] = []
  const acts: object[] = []
  const desk: Desk = {
    redrives: store,
    audit: { append: async (act, by) => void acts.push({ ...act, ...by }) },
    user: 'ada',
    publisher: async () =>
      ({
        publish: (messages: Outgoing[]) => publish(messages).then(() => void published.push(...messages)),
      }) as Publisher,
    partitions: 4,
    nowMs: () => Date.parse('2030-01-02T03:05:30.000Z'),
    print: (text) => void printed.push(text),
    printProgress: () => {},
  }
  const run = async (...args: string[]) => ({ code: await redrive(args, desk), out: printed.splice(0).join('') })
  return { store, published, acts, run }
}

const at = '2030-01-02T03:04:05.678Z'

test('each is noted before it begins, with who and why; a dry run is not', async () => {
  const { run, acts } = await aDesk()
  await run('--dry-run')
  assert.deepEqual(acts, [])
  await run('--partition', '2')
  await run('--by', 'bert', '--reason', 'INC-7')
  const details = { before: '2030-01-02T03:04:30.000Z', events_since: null }
  assert.deepEqual(acts, [
    { act: 'redrive', subject: 'partition 2', details, who: 'ada', reason: undefined },
    { act: 'redrive', subject: 'all partitions', details, who: 'bert', reason: 'INC-7' },
  ])
  await assert.rejects(run('--reason', 'for kate@example.com'), /must not hold an address/)
})

test('a dry run lists what it would publish, and publishes nothing', async () => {
  const { run, published, store } = await aDesk()
  const { code, out } = await run('--dry-run')
  assert.equal(code, 0)
  assert.deepEqual(
    out.split('\n').map((line) => line.replaceAll(/ +/g, ' ')),
    [
      `meant send ${sendId} ${at} show.${showId} ReleaseSeats`,
      `meant call ${callId} ${at} booking.${bookingId} payments RefundPayment`,
      ' LOOKED AT TAKEN TOO YOUNG TO PUBLISH',
      'sends 1 0 0 1',
      'calls 1 0 0 1',
      'events 0 0 0 0',
      '',
    ],
  )
  assert.deepEqual([published, (await store.standings())[0]?.settled], [[], 0])
})

test('what is lost is published under its own id, in a round of its own, and what is settled is noted', async () => {
  const { run, published, store } = await aDesk()
  const { code, out } = await run('--json')
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.equal(code, 0)
  assert.deepEqual(
    lines.map(({ id, result }) => [id, result]),
    [
      [sendId, 'published'],
      [callId, 'published'],
      [undefined, undefined],
    ],
  )
  assert.deepEqual(lines[2].counts.calls, { seen: 1, taken: 0, young: 0, lost: 1 })
  assert.deepEqual(
    published.map(({ messageId, round }) => [messageId, round]),
    [sendId, callId].map((messageId) => [messageId, 'redrive-2030-01-02T03:04:30.000Z']),
  )
  assert.equal((await store.standings())[0]?.settled, 1)
})

test('other partitions, and what is younger, are left alone', async () => {
  const { run, published } = await aDesk()
  assert.match((await run('--partition', '1')).out, /sends +0 +0 +0 +0\n/)
  assert.match((await run('--older-than', '2m')).out, /sends +1 +0 +1 +0\n/)
  assert.deepEqual(published, [])
})

test('a broker that stores nothing is not waited for', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { run } = await aDesk(() => {
    setImmediate(() => t.mock.timers.tick(10_000))
    return new Promise(() => {})
  })
  const { code, out } = await run()
  assert.equal(code, 1)
  assert.match(out, /has not stored it within 10 s\. Run it again/)
})

test('what makes no sense is refused, by the name of its option', () => {
  for (const args of [
    ['--partition', '4'],
    ['--partition', 'x'],
    ['--older-than', '1'],
    ['--events-since', 'yesterday'],
    ['--events-since', '2030-01-02T03:04:05'],
  ])
    assert.throws(() => parseOptions(args, 4, 0), new RegExp(args[0] ?? ''))
  assert.equal(
    parseOptions(['--events-since', '2030-01-02T03:04:05+01:00'], 4, 0).eventsSince,
    '2030-01-02T02:04:05.000Z',
  )
})

test('it explains itself', () => assert.match(help, /^turnstile redrive\b.*--dry-run.*--events-since/s))

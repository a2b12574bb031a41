import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OutgoingCommand } from '../engine/ports.ts'
import { TurnstileError } from '../errors.ts'
import { Asker } from './asker.ts'
import { createHouse } from './house.fixtures.ts'

const address = { kind: 'booking', id: '019389c7-1f3a-7b08-8c66-2d94e5b1a703' }
const messageId = '019389c7-1f3a-7b08-8c66-000000000000'
const reply = { ok: { booking_id: address.id } }

const command = (fingerprint?: string): OutgoingCommand => ({
  to: 'mailbox',
  address,
  messageId,
  command: { type: 'BookShowTickets' },
  meta: { correlationId: 'c', ...(fingerprint !== undefined && { fingerprint }) },
})

const opened: Asker[] = []
afterEach(() => {
  for (const asker of opened.splice(0)) asker.close()
})

function open(timeoutMs = 4_500) {
  const house = createHouse()
  house.onSend = async () => ({ duplicate: false })
  const { requests, reads, log } = house
  const waits: number[] = []
  const answered = (waitedMs: number) => void waits.push(waitedMs)
  const asker = new Asker({ requests, reads, partitions: 64, timeoutMs, answered, log })
  opened.push(asker)
  return { house, asker, waits }
}

test('an answer reaches whoever asked, and how long it took is told', async () => {
  const { house, asker, waits } = open()
  const asked = asker.ask(command())
  assert.equal(asker.waiting, 1)
  const untilMs = performance.now() + 20
  while (performance.now() < untilMs) await sleep(5)
  house.answer({ requestId: messageId, reply })
  assert.deepEqual(await asked, reply)
  assert.ok(waits.length === 1 && Number(waits[0]) >= 20)
  assert.equal(asker.waiting, 0)
})

test('an answer that overtakes the acknowledgement of its command counts', async () => {
  const { house, asker } = open()
  house.onSend = async () => {
    house.answer({ requestId: messageId, reply })
    throw new TurnstileError('broker-timeout', 'too late to matter')
  }
  assert.deepEqual(await asker.ask(command()), reply)
})

test('two who ask the same get one answer to one command', async () => {
  const { house, asker } = open()
  const asked = [asker.ask(command('a')), asker.ask(command('a'))]
  house.answer({ requestId: messageId, reply, fingerprint: 'a' })
  assert.deepEqual(await Promise.all(asked), [reply, reply])
  assert.equal(house.sent.length, 1)
})

test('whoever reuses a key for another request is told so, and the first is answered', async () => {
  const { house, asker } = open()
  const first = asker.ask(command('a'))
  const second = assert.rejects(asker.ask(command('b')), { code: 'idempotency-key-reused' })
  house.answer({ requestId: messageId, reply, fingerprint: 'a' })
  assert.deepEqual(await first, reply)
  await second
})

test('a repeated command is answered out of the journal, as soon as its answer is there', async () => {
  const { house, asker } = open()
  house.onSend = async () => ({ duplicate: true })
  house.turns.push({ kind: 'booking', actorId: address.id, messageId })
  const asked = asker.ask(command('a'))
  await until(() => house.lookUps >= 2)
  house.turns[0] = { kind: 'booking', actorId: address.id, messageId, fingerprint: 'a', reply }
  assert.deepEqual(await asked, reply)
})

test('a key that the journal knows for another request is refused', async () => {
  const { house, asker } = open()
  house.onSend = async () => ({ duplicate: true })
  house.turns.push({ kind: 'booking', actorId: address.id, messageId, fingerprint: 'a', reply })
  await assert.rejects(asker.ask(command('b')), { code: 'idempotency-key-reused' })
})

test('an answer that got lost is looked up', async () => {
  const { house, asker } = open()
  house.turns.push({ kind: 'booking', actorId: address.id, messageId, reply })
  assert.deepEqual(await asker.ask(command()), reply)
  assert.equal(house.lookUps, 1)
})

test('a journal that cannot be read is asked again', async () => {
  const { house, asker } = open()
  house.onSend = async () => ({ duplicate: true })
  house.turns.push({ kind: 'booking', actorId: address.id, messageId, reply })
  const { findTurns } = house.reads
  house.reads.findTurns = async () => {
    house.reads.findTurns = findTurns
    throw new TurnstileError('database-unavailable', 'gone')
  }
  assert.deepEqual(await asker.ask(command()), reply)
  assert.equal(house.logged.filter(({ level }) => level === 'warn').length, 1)
})

test('each waits as long as it may, and no longer', async () => {
  const timeoutMs = 200
  const { asker } = open(timeoutMs)
  const waitedMs = async () => {
    const beganMs = performance.now()
    await assert.rejects(asker.ask(command()), { code: 'outcome-unknown', status: 503 })
    return performance.now() - beganMs
  }
  const first = waitedMs()
  // The second joins the first and would have to go with it, if the deadline were the question's.
  await sleep(timeoutMs / 2)
  const second = waitedMs()
  for (const waited of [await first, await second]) assert.ok(waited >= timeoutMs, `${waited} ms`)
  assert.equal(asker.waiting, 0)
})

test('a command that cannot be sent fails at once, for everyone who waits', async () => {
  const { house, asker } = open()
  house.onSend = async () => {
    throw new TurnstileError('mailbox-full', 'full')
  }
  const asked = [asker.ask(command()), asker.ask(command())]
  for (const one of asked) await assert.rejects(one, { code: 'mailbox-full' })
  assert.equal(asker.waiting, 0)
})

test('after a failure the same can be asked again', async () => {
  const { house, asker } = open()
  house.onSend = async () => {
    throw new TurnstileError('broker-unavailable', 'gone')
  }
  await assert.rejects(asker.ask(command()), { code: 'broker-unavailable' })
  house.onSend = async () => ({ duplicate: false })
  const asked = asker.ask(command())
  house.answer({ requestId: messageId, reply })
  assert.deepEqual(await asked, reply)
})

test('an answer that nobody waits for is nothing', () => {
  const { house } = open()
  house.answer({ requestId: messageId, reply })
})

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await sleep(5)
}

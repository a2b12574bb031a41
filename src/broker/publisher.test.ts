import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TurnstileError } from '../errors.ts'
import type { Acks, Stored } from './acks.ts'
import { effectOf, silent } from './broker.fixtures.ts'
import type { Connection } from './connection.ts'
import { decodeHeaders } from './headers.ts'
import { NatsPublisher } from './publisher.ts'
import { Subjects } from './subjects.ts'
import type { Ticker } from './ticker.ts'
import type { Wire } from './wire.ts'

test('what is published a second time, because nobody answered, says that it may be a repeat', async () => {
  const wires: Wire[] = []
  const answers: Stored[] = [new TurnstileError('broker-timeout', 'silence'), { duplicate: false }]
  const acks = {
    publish(wire: Wire, _: number, settle: (stored: Stored) => void) {
      wires.push(wire)
      queueMicrotask(() => settle(answers.shift() as Stored))
    },
  } as Partial<Acks> as Acks
  let tick: (nowMs: number) => void = () => {}
  const ticker = {
    add(task) {
      tick = task
      return () => {}
    },
  } as Partial<Ticker> as Ticker
  const connection = { isConnected: true } as Connection
  const publisher = new NatsPublisher(connection, acks, new Subjects('test', 64), ticker, silent)
  const published = publisher.publish([effectOf()])
  await Promise.resolve()
  tick(Number.POSITIVE_INFINITY)
  await published
  const read = wires.map(({ headers }) => decodeHeaders(headers, () => ''))
  assert.deepEqual(
    read.map(({ isRepeat }) => isRepeat),
    [undefined, true],
  )
  assert.equal(read[0]?.messageId, read[1]?.messageId)
})

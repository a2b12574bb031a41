import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isUuid } from '../actor/ids.ts'
import type { Meta } from '../engine/ports.ts'
import { decodeHeaders, duplicateWindowMs, encodeHeaders, mayRepeat, renewHeaders } from './headers.ts'

const place = () => 'stream/1'
const traceparent = fc.stringMatching(/^00-[0-9a-f]{31}1-[0-9a-f]{15}1-0[01]$/)
const plain = fc.stringMatching(/^[\x21-\x7e]([\x20-\x7e]{0,248}[\x21-\x7e])?$/)

test('what we write is what we read', () => {
  const meta = fc.record(
    {
      correlationId: plain,
      causationId: plain,
      traceparent,
      replyTo: plain,
      requestId: fc.uuid(),
      fingerprint: plain,
    },
    { requiredKeys: ['correlationId', 'requestId'] },
  )
  fc.assert(
    fc.property(fc.uuid(), meta as fc.Arbitrary<Meta>, (messageId, sent) => {
      const actor = { kind: 'booking', id: messageId }
      assert.deepEqual(decodeHeaders(encodeHeaders(messageId, sent, actor), place), {
        messageId,
        meta: { ...sent },
        actor,
      })
    }),
  )
})

test('what is not fit for a header is left out', () => {
  const unfit = { correlationId: 'a\r\nNats-Rollup: all', causationId: '', traceparent: 'ü', fingerprint: ' ' }
  const headers = encodeHeaders('id', unfit)
  assert.deepEqual(headers, { 'Nats-Msg-Id': 'id' })
})

test('a trace context that is none is none', () => {
  assert.equal(decodeHeaders({ traceparent: '00-x' }, place).meta.traceparent, undefined)
})

test('whatever the headers, a message has an id and a story, and always the same', () => {
  const names = [
    'Nats-Msg-Id',
    'Message-ID',
    'correlation-id',
    'REPLY-TO',
    'Request-ID',
    'traceparent',
    '__proto__',
    'constructor',
    'x',
  ]
  const headers = fc.dictionary(fc.constantFrom(...names), fc.string({ unit: 'binary', maxLength: 300 }))
  fc.assert(
    fc.property(headers, (given) => {
      const { messageId, meta } = decodeHeaders(given, place)
      assert.ok(isUuid(messageId))
      assert.deepEqual(decodeHeaders(given, place).messageId, messageId)
      for (const value of Object.values(meta)) assert.match(value, /^[\x20-\x7e]{1,250}$/)
      assert.equal(meta.replyTo === undefined || isUuid(meta.requestId ?? ''), true)
    }),
  )
})

test('an id in upper case is the same id; any other text gets one of its own', () => {
  const id = '019389c7-1f3a-7b08-8c66-2d94e5b1a703'
  const idOf = (text: string) => decodeHeaders({ 'Nats-Msg-Id': text }, place).messageId
  assert.equal(idOf(id.toUpperCase()), id)
  assert.notEqual(idOf('order-1'), idOf('order-2'))
})

test('a message that is published once more keeps its id, under another one for each round', () => {
  const id = '019389c7-1f3a-7b08-8c66-2d94e5b1a703'
  const headers = encodeHeaders(id, { correlationId: 'story' })
  const [first, second] = [renewHeaders(headers, 1), renewHeaders(headers, 2)]
  assert.equal(new Set([headers, first, second].map((one) => one['Nats-Msg-Id'])).size, 3)
  for (const again of [first, second]) {
    const { messageId, meta } = decodeHeaders(again, place)
    assert.deepEqual({ messageId, meta }, { messageId: id, meta: { correlationId: 'story' } })
  }
})

test('an effect may be a repeat unless it came within half the time for which the broker knows its id', () => {
  const turnAt = '2030-01-02T03:04:05.000Z'
  const headers = encodeHeaders('id', { correlationId: 'story' }, { kind: 'ticket', id: 'x' }, turnAt)
  const after = (ms: number): number => Date.parse(turnAt) + ms
  assert.equal(mayRepeat(headers, after(0)), false)
  assert.equal(mayRepeat(headers, after(duplicateWindowMs / 2 - 1)), false)
  assert.equal(mayRepeat(headers, after(duplicateWindowMs / 2)), true)
  assert.equal(mayRepeat(renewHeaders(headers, 1), after(0)), true)
  assert.equal(mayRepeat(encodeHeaders('id', { correlationId: 'story' }), after(0)), true)
})

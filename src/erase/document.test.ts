import assert from 'node:assert/strict'
import { test } from 'node:test'
import { erasedEmail, eraserOf } from '../actor/erasure.ts'
import { eraseBytes, eraseText } from './document.ts'

const erase = eraserOf('kate@example.com')
const bytes = (text: string) => Buffer.from(text)

test('text is erased as JSON when it is JSON, whatever its spelling, and as text when it is not', () => {
  const erased = `{"customer_email":"${erasedEmail}"}`
  assert.equal(eraseText('{"customer_email":"kate@example.com"}', erase), erased)
  assert.equal(eraseText('{"customer_email": "kate\\u0040example.com"}', erase), erased)
  assert.equal(eraseText('{"customer_email": kate@example.com', erase), `{"customer_email": ${erasedEmail}`)
})

test('what does not name the customer stays to the letter, and to the byte', () => {
  for (const text of ['{ "a" : 1.50 }', '[]', 'plain', '']) assert.equal(eraseText(text, erase), text)
  for (const one of [bytes('{ "a" : 1.50 }'), Buffer.of(0, 255, 10)]) assert.equal(eraseBytes(one, erase), one)
})

test('bytes that are no text keep all others', () => {
  const given = Buffer.concat([Buffer.of(255, 0), bytes('kate@example.com'), Buffer.of(254)])
  assert.deepEqual(eraseBytes(given, erase), Buffer.concat([Buffer.of(255, 0), bytes(erasedEmail), Buffer.of(254)]))
})

test('bytes that were written into JSON are looked into', () => {
  const hex = (text: string) => `\\x${bytes(text).toString('hex')}`
  const version = JSON.stringify({ payload: hex('{"customer_email":"KATE@example.com"}') })
  assert.equal(eraseText(version, erase), JSON.stringify({ payload: hex(`{"customer_email":"${erasedEmail}"}`) }))
})

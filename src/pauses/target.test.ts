import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from '../errors.ts'
import { parseTarget, releasedBy } from './target.ts'

const id = '019389c7-1f3a-7b08-8c66-2d94e5b1a703'

test('an actor, a kind and a service have their names', () => {
  assert.deepEqual(parseTarget(['actor', 'booking', id.toUpperCase()]), { target: 'actor', name: `booking.${id}` })
  assert.deepEqual(parseTarget(['kind', 'ticket']), { target: 'kind', name: 'ticket' })
  assert.deepEqual(parseTarget(['service', 'dead-nation']), { target: 'service', name: 'dead-nation' })
})

test('what is none of them is refused, with what would do', () => {
  const wrong: [string[], RegExp][] = [
    [[], /actor KIND ID, kind KIND or service NAME/],
    [['everything'], /not everything/],
    [['kind'], /show, booking, ticket/],
    [['kind', 'constructor'], /no kind "constructor"/],
    [['kind', 'ticket', id], /too much after kind/],
    [['service', 'receipt'], /payments/],
    [['actor', 'booking'], /UUID/],
    [['actor', 'booking', 'x'], /UUID, not "x"/],
    [['actor', 'opera', id], /no kind "opera"/],
    [['actor', 'booking', id, 'y'], /too much after actor: y/],
  ]
  for (const [words, message] of wrong) {
    assert.throws(
      () => parseTarget(words),
      (error: Error) => hasCode(error, 'config-invalid') && message.test(error.message),
    )
  }
})

test('a resume looks for what its pause has set aside, and no other holds back', () => {
  const common = { code: 'actor-paused', status: 'open', isHeld: false }
  assert.deepEqual(releasedBy({ target: 'kind', name: 'ticket' }), { ...common, kind: 'ticket' })
  const actor: Parameters<typeof releasedBy>[0] = { target: 'actor', name: `booking.${id}` }
  assert.deepEqual(releasedBy(actor), { ...common, kind: 'booking', actor: { id } })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from '../errors.ts'
import { parseFilter } from './options.ts'

const id = '019389c7-1f3a-7b08-8c66-2d94e5b1a703'
const open = { status: 'open' }

test('nothing given means all that are open', () => {
  assert.deepEqual(parseFilter(open), open)
})

test('every option says something about the letters', () => {
  const values = {
    id: [id.toUpperCase(), id],
    actor: `booking.${id}`,
    kind: 'payments',
    code: 'effect-exhausted',
    error: 'reset',
    'older-than': '10m',
    'newer-than': '3d',
    status: 'requeued',
  }
  assert.deepEqual(parseFilter(values), {
    ids: [id],
    actor: { kind: 'booking', id },
    kind: 'payments',
    code: 'effect-exhausted',
    error: 'reset',
    olderThanSeconds: 600,
    newerThanSeconds: 259_200,
    status: 'requeued',
  })
})

test('ids may stand by themselves, and an actor without its kind', () => {
  assert.deepEqual(parseFilter({ ...open, actor: id }, [id]), { ids: [id], actor: { id }, ...open })
})

test('what makes no sense is refused by name', () => {
  const refused: [() => unknown, RegExp][] = [
    [() => parseFilter({ ...open, id: ['12'] }), /"12" is no id/],
    [() => parseFilter({ ...open, 'older-than': '10 minutes' }), /--older-than .*"10 minutes"/],
    [() => parseFilter({ ...open, 'newer-than': '-1h' }), /--newer-than/],
    [() => parseFilter({ status: 'closed' }), /--status must be open, requeued, discarded/],
  ]
  for (const [parse, message] of refused) {
    assert.throws(
      parse,
      (error: Error) => hasCode(error, 'config-invalid') && message.test(error.message),
      `${message}`,
    )
  }
})

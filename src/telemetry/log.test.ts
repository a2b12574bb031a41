import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from './log.ts'

test('a line is JSON that names the process and explains an error', () => {
  const lines: string[] = []
  const log = createLog('info', 'w1', { write: (line) => lines.push(line) })
  log.debug({}, 'too fine')
  log.warn({ err: new Error('gone'), correlationId: 'c' }, 'it broke')
  const line = JSON.parse(lines.join(''))
  assert.equal(line.level, 'warn')
  assert.equal(line.service, 'turnstile')
  assert.equal(line.worker, 'w1')
  assert.equal(line.correlationId, 'c')
  assert.equal(line.msg, 'it broke')
  assert.equal(line.err.message, 'gone')
  assert.ok(!Number.isNaN(Date.parse(line.time)))
})

test('a line of a story that is traced says which trace that is', () => {
  const lines: string[] = []
  const log = createLog('info', 'w1', { write: (line) => lines.push(line) })
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  for (const fields of [{ traceparent, correlationId: 'c' }, { traceparent: undefined }]) log.info(fields, 'x')
  const [traced, untraced] = lines.map((line) => JSON.parse(line))
  assert.equal(traced.trace_id, '4bf92f3577b34da6a3ce929d0e0e4736')
  assert.equal(traced.correlationId, 'c')
  for (const line of [traced, untraced]) assert.equal('traceparent' in line, false)
  assert.equal('trace_id' in untraced, false)
})

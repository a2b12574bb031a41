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

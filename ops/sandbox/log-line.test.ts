import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../../src/telemetry/log.ts'
import { readLogLine } from './log-line.ts'

test('a line of the daemon’s log becomes one for people, and warnings are told from the rest', () => {
  const lines: string[] = []
  const log = createLog('info', 'worker-1', { write: (line) => void lines.push(line) })
  log.info({}, 'serving')
  log.error({ err: new Error('no'), partition: 7 }, 'commit failed')
  const [serving = '', failed = ''] = lines
  assert.deepEqual(readLogLine(serving), { isWarning: false, text: 'info serving' })
  assert.deepEqual(readLogLine(failed), { isWarning: true, text: 'error commit failed (no) partition=7' })
})

test('any other line stays what it is', () => {
  for (const text of ['', 'plain', '{ broken', '{"no":"level"}']) {
    assert.deepEqual(readLogLine(text), { isWarning: false, text })
  }
})

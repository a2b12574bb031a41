import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readLogLine } from './log-line.ts'

test('a pino record becomes a line for people', () => {
  const record = {
    level: 50,
    time: 1,
    pid: 2,
    hostname: 'h',
    msg: 'commit failed',
    partition: 7,
    err: { message: 'no' },
  }
  assert.deepEqual(readLogLine(JSON.stringify(record)), { level: 50, text: 'error commit failed (no) partition=7' })
})

test('any other line stays what it is', () => {
  for (const text of ['', 'plain', '{ broken', '{"no":"level"}']) {
    assert.deepEqual(readLogLine(text), { level: undefined, text })
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findNatsServer, isAtLeast, parseNatsVersion } from './nats-binary.ts'

test('reads the version that nats-server prints', () => {
  assert.deepEqual(parseNatsVersion('nats-server: v2.9.10\n'), { major: 2, minor: 9 })
  assert.deepEqual(parseNatsVersion('nats-server: v2.15.1-RC.1'), { major: 2, minor: 15 })
  assert.equal(parseNatsVersion('Usage: something else v2.9.10'), undefined)
  assert.equal(parseNatsVersion(''), undefined)
})

test('compares versions by number and not by letter', () => {
  const v2_9 = { major: 2, minor: 9 }
  assert.equal(isAtLeast({ major: 2, minor: 15 }, v2_9), true)
  assert.equal(isAtLeast({ major: 2, minor: 9 }, v2_9), true)
  assert.equal(isAtLeast({ major: 2, minor: 8 }, v2_9), false)
  assert.equal(isAtLeast({ major: 1, minor: 40 }, v2_9), false)
  assert.equal(isAtLeast({ major: 3, minor: 0 }, v2_9), true)
})

test('a NATS_SERVER_BIN that is no nats-server is an error, and no reason to take another', async () => {
  const before = process.env.NATS_SERVER_BIN
  process.env.NATS_SERVER_BIN = process.execPath
  try {
    await assert.rejects(findNatsServer(), { code: 'bad-setting', message: /NATS_SERVER_BIN/ })
  } finally {
    if (before === undefined) delete process.env.NATS_SERVER_BIN
    else process.env.NATS_SERVER_BIN = before
  }
})

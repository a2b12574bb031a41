import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readConfig, readDatabaseConfig, settingNames } from './config.ts'

const needed = {
  POSTGRES_URL: 'postgres://localhost/turnstile',
  NATS_URL: 'nats://localhost:4222',
  GATEWAY_ADDR: 'http://localhost:8090',
}

test('three settings are needed, all others have defaults', () => {
  const config = readConfig(needed)
  assert.equal(config.PORT, 8080)
  assert.equal(config.TURNSTILE_PARTITIONS, 64)
})

test('every fault is listed at once, with the setting and what is wrong', () => {
  const faulty = { NATS_URL: 'nats://localhost', GATEWAY_ADDR: 'localhost:8090', PORT: 'http', LOG_LEVEL: 'loud' }
  assert.throws(
    () => readConfig(faulty),
    ({ code, message }) => {
      assert.equal(code, 'config-invalid')
      assert.match(message, /POSTGRES_URL is not set/)
      assert.match(
        message,
        /GATEWAY_ADDR must be a URL that begins with http:\/\/ or https:\/\/ \(it is "localhost:8090"\)/,
      )
      assert.match(message, /PORT .*\(it is "http"\)/)
      assert.match(message, /LOG_LEVEL .*\(it is "loud"\)/)
      return true
    },
  )
})

test('migrating needs the settings of the database alone', () => {
  const { POSTGRES_URL } = needed
  const config = readDatabaseConfig({ POSTGRES_URL, PORT: 'http' })
  assert.deepEqual(config, { POSTGRES_URL, TURNSTILE_PARTITIONS: 64 })
})

test('an empty variable is one that is not set', () => {
  assert.equal(readConfig({ ...needed, PORT: '' }).PORT, 8080)
  assert.throws(() => readConfig({ ...needed, POSTGRES_URL: '' }), /POSTGRES_URL is not set/)
})

test('the README lists the settings and their defaults, and no others', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const rows = [...readme.matchAll(/^\| `([A-Z_]+)` \| (\S*) ?\|/gm)].map(([, name, value]) => [name, value])
  assert.deepEqual(
    rows.map(([name]) => name),
    settingNames,
  )
  const config: Record<string, unknown> = readConfig(needed)
  for (const [name = '', value] of rows) if (!(name in needed)) assert.equal(value, String(config[name] ?? ''), name)
})

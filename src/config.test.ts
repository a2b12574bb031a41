import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { defaultPartitions, readConfig, readDatabaseConfig, settingNames } from './config.ts'

const needed = {
  POSTGRES_URL: 'postgres://localhost/turnstile',
  NATS_URL: 'nats://localhost:4222',
  GATEWAY_ADDR: 'http://localhost:8090',
}

test('three settings are needed, all others have defaults', () => {
  const config = readConfig(needed)
  assert.equal(config.PORT, 8080)
  assert.equal(config.TURNSTILE_PARTITIONS, defaultPartitions)
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

test('commands that work with the database alone need no other settings', () => {
  const { POSTGRES_URL } = needed
  const config = readDatabaseConfig({ POSTGRES_URL, PORT: 'http' })
  const defaults = { TURNSTILE_PARTITIONS: defaultPartitions, TURNSTILE_EVENT_DAYS: 7, TURNSTILE_REPEAT_DAYS: 7 }
  assert.deepEqual(config, { POSTGRES_URL, ...defaults })
})

test('secrets may come by file', () => {
  const path = join(mkdtempSync(join(process.env.TEST_FOLDER ?? tmpdir(), 'config-')), 'url')
  writeFileSync(path, 'postgres://user:secret@db/turnstile\n')
  const { POSTGRES_URL: _, ...others } = needed
  assert.equal(readConfig({ ...others, POSTGRES_URL_FILE: path }).POSTGRES_URL, 'postgres://user:secret@db/turnstile')
  assert.equal(readDatabaseConfig({ POSTGRES_URL_FILE: path }).POSTGRES_URL, 'postgres://user:secret@db/turnstile')
  assert.throws(
    () => readConfig({ ...needed, POSTGRES_URL_FILE: path }),
    /POSTGRES_URL and POSTGRES_URL_FILE are both set/,
  )
  const missing = { ...needed, TURNSTILE_WEBHOOK_SECRETS_FILE: `${path}s` }
  assert.throws(() => readConfig(missing), /TURNSTILE_WEBHOOK_SECRETS_FILE \S+ cannot be read: ENOENT/)
  writeFileSync(path, '\n')
  assert.throws(() => readConfig({ ...others, POSTGRES_URL_FILE: path }), /POSTGRES_URL_FILE \S+ is empty/)
})

test('no fault shows a secret', () => {
  const faulty = { ...needed, POSTGRES_URL: 'mysql://u:hush@db', TURNSTILE_WEBHOOK_SECRETS: 'whsec_hush' }
  assert.throws(
    () => readConfig(faulty),
    ({ message }) => {
      assert.match(message, /POSTGRES_URL must be/)
      assert.match(message, /TURNSTILE_WEBHOOK_SECRETS must be secrets like whsec_/)
      assert.doesNotMatch(message, /hush/)
      return true
    },
  )
})

test('settings that belong together are missed, and those that contradict each other refused', () => {
  const jwt = { TURNSTILE_JWT_ISSUER: 'https://id.example', TURNSTILE_JWT_AUDIENCE: 'turnstile' }
  assert.throws(() => readConfig({ ...needed, ...jwt }), /TURNSTILE_JWT_JWKS_URL is not set, but others/)
  const both = { TURNSTILE_AUTH: 'none', TURNSTILE_API_KEYS_FILE: '/keys' }
  assert.throws(() => readConfig({ ...needed, ...both }), /TURNSTILE_AUTH is none, but keys or tokens are asked for/)
  const shared = { TURNSTILE_JWT_ALGORITHMS: 'RS256,HS256' }
  assert.throws(() => readConfig({ ...needed, ...shared }), /TURNSTILE_JWT_ALGORITHMS/)
  assert.throws(() => readConfig({ ...needed, TURNSTILE_RATE_LIMIT: '100' }), /as in 1000\/60/)
  // Whoever only migrates need not know of them.
  assert.doesNotThrow(() => readDatabaseConfig({ ...needed, ...jwt }))
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

import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import type { PeerCertificate } from 'node:tls'
import { readEncryption } from './tls.ts'

const file = path.join(mkdtempSync(path.join(process.env.TEST_FOLDER ?? tmpdir(), 'tls-')), 'ca.crt')
writeFileSync(file, 'a certificate')
const url = 'postgres://user:pass%20word@db.example.org:5433/turnstile'

const of = (query: string, base = url) => readEncryption(`${base}?${query}`)
const optionsOf = (query: string, base = url) => {
  const { ssl } = of(query, base)
  assert.ok(typeof ssl === 'object', query)
  return ssl
}
const other = { subject: { CN: 'other' }, subjectaltname: 'DNS:other' } as unknown as PeerCertificate

test('without a word of TLS the URL is as it was', () => {
  assert.deepEqual(readEncryption(url), { url })
  assert.deepEqual(of('application_name=x'), { url: `${url}?application_name=x` })
})

test('the words of libpq are taken out of the URL, and mean what they mean there', () => {
  assert.deepEqual(of('sslmode=disable'), { url, ssl: false })
  assert.deepEqual(of('sslmode=prefer&application_name=x'), { url: `${url}?application_name=x`, ssl: 'prefer' })
  assert.deepEqual(of('sslmode=require'), { url, ssl: { rejectUnauthorized: false } })
  assert.deepEqual(of('sslmode=verify-full'), { url, ssl: {} })
  assert.deepEqual(of('sslmode=verify-full&sslrootcert=system'), { url, ssl: {} })
  assert.equal(String(optionsOf(`sslmode=verify-full&sslrootcert=${file}`).ca), 'a certificate')
  // Whoever names a root certificate wants it looked at.
  assert.deepEqual(of(`sslrootcert=${file}`), of(`sslmode=verify-full&sslrootcert=${file}`))
  const mutual = optionsOf(`sslmode=verify-full&sslrootcert=${file}&sslcert=${file}&sslkey=${file}`)
  assert.deepEqual(Object.keys(mutual).sort(), ['ca', 'cert', 'key'])
})

test('the name is looked at with verify-full alone', () => {
  for (const query of [
    'sslmode=verify-ca',
    `sslmode=verify-ca&sslrootcert=${file}`,
    `sslmode=require&sslrootcert=${file}`,
  ])
    assert.equal(optionsOf(query).checkServerIdentity?.('db.example.org', other), undefined)
  const byAddress = optionsOf('sslmode=verify-full', 'postgres://192.0.2.1/turnstile')
  assert.match(String(byAddress.checkServerIdentity?.('', other)), /192\.0\.2\.1/)
  // Of a name Node's own look is left in place.
  assert.equal(optionsOf('sslmode=verify-full').checkServerIdentity, undefined)
})

test('what cannot be used is said, without the password', () => {
  for (const [query, message] of [
    ['sslmode=strict', /sslmode must be one of disable, allow, .+ not strict/],
    ['sslmode=verify-ca&sslrootcert=/nowhere', /sslrootcert \/nowhere cannot be read: ENOENT/],
    [`sslmode=require&sslcert=${file}&sslkey=/nokey`, /sslkey \/nokey cannot be read/],
  ] as const) {
    assert.throws(
      () => of(query),
      (error: Error & { code: string }) => {
        assert.equal(error.code, 'config-invalid')
        assert.match(error.message, message)
        assert.doesNotMatch(error.message, /pass/)
        return true
      },
    )
  }
})

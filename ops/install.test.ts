import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isInstalled } from './install.mjs'

const lock = {
  packages: {
    '': { version: '0.1.0' },
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/a-windows': { version: '1.0.0', integrity: 'sha512-w', optional: true },
  },
}
const a = { version: '1.0.0', integrity: 'sha512-a' }

test('what npm left out for another platform does not make it install for ever', () => {
  assert.equal(isInstalled(lock, { packages: { 'node_modules/a': a } }), true)
})

test('installs when nothing is there, or an installation was interrupted', () => {
  assert.equal(isInstalled(lock, undefined), false)
})

test('installs when the lock file asks for another version, another content or one more package', () => {
  const other = (change: object) => ({ packages: { 'node_modules/a': { ...a, ...change } } })
  assert.equal(isInstalled(lock, other({ version: '1.0.1' })), false)
  assert.equal(isInstalled(lock, other({ integrity: 'sha512-b' })), false)
  assert.equal(isInstalled(lock, { packages: {} }), false)
})

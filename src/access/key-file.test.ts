import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { until } from '../../test/support/wait.ts'
import { type ApiKey, makeKey, printKeys } from './api-keys.ts'
import { type KeyFile, openKeyFile } from './key-file.ts'

const folder = mkdtempSync(path.join(process.env.TEST_FOLDER ?? tmpdir(), 'keys-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const inFolder = (name: string) => path.join(folder, name)

function line(name: string): { key: string; text: string } {
  const { key, sha256 } = makeKey(name)
  const known: ApiKey = { name, roles: ['customer'], sha256 }
  return { key, text: printKeys([known]) }
}

const knows = ({ keys }: KeyFile, key: string): boolean => !('denied' in keys.find(key, Date.now()))

test('a change is noticed, also when a link is swapped as Kubernetes does it', async () => {
  const [first, second] = [line('first'), line('second')]
  writeFileSync(inFolder('one'), first.text)
  writeFileSync(inFolder('two'), second.text)
  symlinkSync('one', inFolder('keys'))
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const file = await openKeyFile(inFolder('keys'), log, 5)
  assert.ok(knows(file, first.key))
  symlinkSync('two', inFolder('next'))
  renameSync(inFolder('next'), inFolder('keys'))
  await until('the other file is read', () => knows(file, second.key))
  assert.ok(!knows(file, first.key))
  file.close()
})

test('a file that becomes unusable changes nothing, and is told of once', async () => {
  const { key, text } = line('a')
  writeFileSync(inFolder('fragile'), text)
  let told = 0
  let isMended = false
  const log = {
    debug() {},
    info() {
      isMended = true
    },
    warn() {},
    error() {
      told++
    },
  }
  const file = await openKeyFile(inFolder('fragile'), log, 5)
  writeFileSync(inFolder('fragile'), 'oops')
  await until('the fault is told', () => told === 1)
  rmSync(inFolder('fragile'))
  assert.ok(knows(file, key))
  writeFileSync(inFolder('fragile'), line('b').text)
  await until('the file is good again', () => isMended)
  assert.ok(!knows(file, key))
  assert.equal(told, 1)
  file.close()
})

test('what cannot be used from the start is refused', async () => {
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  await assert.rejects(openKeyFile(inFolder('nowhere'), log), { code: 'config-invalid', message: /ENOENT/ })
  writeFileSync(inFolder('bad'), 'tsk_a_secret')
  await assert.rejects(openKeyFile(inFolder('bad'), log), { code: 'config-invalid', message: /line 1/ })
})

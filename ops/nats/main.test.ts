import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { main } from './main.ts'
import { permissionsOf, users } from './permissions.ts'

test('users and passwords are written for nobody else to read, and passwords are kept', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'nats-users-'))
  const out = path.join(folder, 'nats')
  const printed: string[] = []
  const print = (text: string) => void printed.push(text)
  const read = (name: string) => readFileSync(path.join(out, name), 'utf8')
  assert.equal(main(['--out', out, '--prefix', 'tickets'], print), 0)
  const [configuration, password] = [read('users.conf'), read('worker.password').trim()]
  for (const user of users)
    assert.ok(configuration.includes(`{ user: ${user}, password: "${read(`${user}.password`).trim()}"`))
  assert.ok(configuration.includes('tickets.mbx.>') && !configuration.includes('turnstile'))
  for (const name of ['users.conf', 'worker.password']) assert.equal(statSync(path.join(out, name)).mode & 0o077, 0)
  assert.equal(main(['--out', out], print), 0)
  assert.equal(read('worker.password').trim(), password)
  assert.equal(main([], print), 2)
  assert.ok(!printed.join('').includes(password))
  rmSync(folder, { recursive: true })
})

test('nobody may delete a stream, or hear the answers to another', () => {
  for (const user of users) {
    const { publish, subscribe } = permissionsOf(user, 'turnstile')
    assert.ok(![...publish, ...subscribe].some((subject) => /^>|^\$JS\.API\.>|STREAM\.DELETE|^_INBOX\.>/.test(subject)))
    assert.deepEqual(
      subscribe.filter((subject) => subject.startsWith('_INBOX')),
      [`_INBOX.${user}.>`],
    )
  }
})

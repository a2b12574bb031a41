import assert from 'node:assert/strict'
import { test } from 'node:test'
import { natsConfiguration } from './nats.ts'

const options = { folder: '/data', port: 24222, logFile: '/data/nats.log' }
const mappingOf = (configuration: string) => /^mappings: .*$/m.exec(configuration)?.[0]

test('nats-server 2.9 gets the mapping of commands to partitions', () => {
  assert.equal(
    mappingOf(natsConfiguration({ ...options, prefix: 'acme', partitions: 16 }, { major: 2, minor: 9 })),
    'mappings: { "acme.cmd.*.*.*": "acme.mbx.{{partition(16,2)}}.{{wildcard(1)}}.{{wildcard(2)}}.{{wildcard(3)}}" }',
  )
})

test('from 2.10 on the stream does it, and doing it twice would lose the messages', () => {
  assert.equal(mappingOf(natsConfiguration(options, { major: 2, minor: 10 })), undefined)
})

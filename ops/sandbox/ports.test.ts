import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { test } from 'node:test'
import { freePort, requirePort } from './ports.ts'

test('a port in use is named together with the setting that helps', async (t) => {
  const port = await freePort()
  await requirePort('NATS', port, 'NATS_PORT')

  const server = net.createServer().listen(port, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  await assert.rejects(requirePort('NATS', port, 'NATS_PORT'), {
    code: 'port-in-use',
    message: `port ${port} for NATS is in use: set NATS_PORT to another one`,
  })
})

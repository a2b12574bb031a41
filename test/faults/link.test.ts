import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { after, afterEach, before, describe, test } from 'node:test'
import { until } from '../support/wait.ts'
import { type Link, startLink } from './link.ts'

type Client = { socket: net.Socket; heard: string; isEnded: boolean; isClosed: boolean }

describe('a link on which things go wrong', () => {
  /** Says what it hears, and then that it has heard it. */
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('data', (data) => {
      told += data
      socket.write(`heard ${data}`)
    })
    socket.on('end', () => socket.end('bye'))
    socket.on('error', () => {})
    socket.on('close', () => closed++)
  })
  let told = ''
  let closed = 0
  let link: Link
  const clients: Client[] = []
  before(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    link = await startLink((server.address() as net.AddressInfo).port)
  })
  after(async () => {
    await link.close()
    server.close()
  })
  afterEach(async () => {
    link.set({})
    link.cut()
    await until('all have hung up', () => clients.every(({ isClosed }) => isClosed))
    clients.length = 0
    told = ''
  })

  const connect = async (): Promise<Client> => {
    const socket = net.connect({ port: link.port, host: '127.0.0.1', allowHalfOpen: true })
    const client = { socket, heard: '', isEnded: false, isClosed: false }
    socket.on('data', (data) => (client.heard += data))
    socket.on('end', () => (client.isEnded = true))
    socket.on('close', () => (client.isClosed = true))
    socket.on('error', () => {})
    await once(socket, 'connect')
    clients.push(client)
    return client
  }
  /** So long that whatever was to come would have come: a whole exchange on another link takes less. */
  const meanwhile = async (): Promise<void> => {
    const other = await startLink((server.address() as net.AddressInfo).port)
    const socket = net.connect(other.port, '127.0.0.1')
    socket.write('meanwhile')
    await once(socket, 'data')
    socket.destroy()
    await other.close()
  }

  test('in fair weather it carries both ways, to the end of either', async () => {
    const client = await connect()
    client.socket.write('a')
    await until('it is answered', () => client.heard === 'heard a')
    client.socket.end()
    await until('the other end is heard', () => client.isEnded)
    assert.equal(client.heard, 'heard abye')
  })

  test('what is long arrives whole', async () => {
    const client = await connect()
    const long = 'x'.repeat(5_000_000)
    client.socket.write(long)
    await until('all is there', () => told.length === long.length)
    await until('and is answered', () => client.heard.replaceAll('heard ', '').length === long.length)
  })

  test('delay makes both ways longer', async () => {
    const client = await connect()
    link.set({ delayMs: 50 })
    const tookMs = await Promise.all([
      until('it is answered', () => client.heard === 'heard a'),
      client.socket.write('a'),
    ])
    assert.ok(tookMs[0] >= 90, `${tookMs[0]} ms`)
  })

  test('silent to the server, it holds back what is said to it until the silence is over', async () => {
    const client = await connect()
    link.set({ silent: ['to server'] })
    client.socket.write('a')
    await meanwhile()
    assert.equal(told, 'meanwhile')
    link.set({})
    await until('it is answered after all', () => client.heard === 'heard a')
  })

  test('silent to the client, the server hears and its answer does not come', async () => {
    const client = await connect()
    link.set({ silent: ['to client'] })
    client.socket.write('a')
    await until('it is heard', () => told === 'a')
    await meanwhile()
    assert.equal(client.heard, '')
    link.set({})
    await until('the answer comes', () => client.heard === 'heard a')
  })

  test('in silence nobody hears that the other is gone', async () => {
    const client = await connect()
    client.socket.write('a')
    await until('it is answered', () => client.heard !== '')
    link.set({ silent: ['to server', 'to client'] })
    client.socket.resetAndDestroy()
    const before = closed
    await meanwhile()
    await until('the other has hung up', () => closed > before)
    assert.equal(closed, before + 1)
    link.set({})
    await until('it hears of it afterwards', () => closed === before + 2)
  })

  test('a cut resets every connection, and lets new ones through', async () => {
    const [one, two] = [await connect(), await connect()]
    link.cut()
    await until('both are gone', () => one.isClosed && two.isClosed)
    const three = await connect()
    three.socket.write('a')
    await until('it is answered', () => three.heard === 'heard a')
  })

  test('whoever calls somebody who is not there is hung up on', async () => {
    const nobody = await startLink(1)
    const socket = net.connect(nobody.port, '127.0.0.1')
    socket.on('error', () => {})
    await once(socket, 'close')
    await nobody.close()
  })
})

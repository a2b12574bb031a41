import { EventEmitter, once } from 'node:events'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export type Direction = 'to server' | 'to client'

/** What is wrong with a link. Nothing, when it is empty. */
export type Weather = {
  /** Everything comes so much later. */
  delayMs?: number
  /** Nothing comes in these directions, not even the end of a connection. */
  silent?: Direction[]
}

export type Link = {
  port: number
  /** In place of the weather before. What silence held back goes on its way when it is over. */
  set(weather: Weather): void
  /** Resets every connection; what is on its way is lost. */
  cut(): void
  close(): Promise<void>
}

/** A TCP link to `targetPort` of this machine on which things can go wrong. Whoever is not there is hung up on. */
export async function startLink(targetPort: number, port = 0): Promise<Link> {
  const changes = new EventEmitter().setMaxListeners(0)
  const sockets = new Set<net.Socket>()
  let weather: Weather = {}
  let isClosing = false

  const wait = async (direction: Direction): Promise<void> => {
    if (weather.delayMs) await sleep(weather.delayMs)
    while (weather.silent?.includes(direction)) await once(changes, 'change')
  }
  const set = (next: Weather): void => {
    weather = next
    changes.emit('change')
  }
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  const keep = (socket: net.Socket): void => {
    sockets.add(socket)
    socket.setNoDelay(true)
    // Whoever reads from it is told too.
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  }

  const server = net.createServer({ allowHalfOpen: true }, (client) => {
    if (isClosing) return void client.destroy()
    const target = net.connect({ host: '127.0.0.1', port: targetPort, allowHalfOpen: true })
    for (const socket of [client, target]) keep(socket)
    void carry(client, target, () => wait('to server'))
    void carry(target, client, () => wait('to client'))
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')

  return {
    port: (server.address() as net.AddressInfo).port,
    set,
    cut,
    close: async () => {
      isClosing = true
      server.close()
      set({})
      cut()
      await once(server, 'close')
    },
  }
}

async function carry(from: net.Socket, to: net.Socket, wait: () => Promise<void>): Promise<void> {
  try {
    // By default a stream that was read to its end is destroyed, and what the other side has to say yet with it.
    for await (const chunk of from.iterator({ destroyOnReturn: false })) {
      await wait()
      if (!to.write(chunk)) await drained(to)
    }
    await wait()
    to.end()
  } catch {
    await wait()
    to.destroy()
  }
}

/** It may also be gone by then; writing to it is in vain, and does no harm. */
function drained(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done)
      resolve()
    }
    socket.on('drain', done).on('close', done)
    if (socket.destroyed) done()
  })
}

import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import net from 'node:net'
import { SandboxError } from './errors.ts'

/**
 * A port that nobody listens on. It lies below the range that Linux takes for outgoing connections (from 32768 on): a
 * server that is killed and restarted must find its port free, and a client that keeps dialing it must not by chance
 * get the same number for its own end and so be connected to itself.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(10_000, 32_000)
    if ((await probe(port)) === undefined) return port
  }
  throw new SandboxError('port-in-use', 'no free port found between 10000 and 32000')
}

/** Fails, naming the setting that would help, when `port` cannot be listened on. */
export async function requirePort(what: string, port: number, setting: string): Promise<void> {
  const fault = await probe(port)
  if (fault === undefined) return
  const reason = fault === 'EADDRINUSE' ? 'is in use' : `cannot be listened on (${fault})`
  throw new SandboxError('port-in-use', `port ${port} for ${what} ${reason}: set ${setting} to another one`)
}

async function probe(port: number): Promise<string | undefined> {
  const server = net.createServer()
  try {
    // Without a host this is every address, and so also finds those who listen on 127.0.0.1 only.
    server.listen(port)
    await once(server, 'listening')
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  } finally {
    server.close()
  }
}

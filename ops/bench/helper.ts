import path from 'node:path'
import process from 'node:process'
import { freePort } from '../sandbox/ports.ts'
import { type Server, startServer } from '../sandbox/server.ts'

/**
 * Starts a script of the bench that serves HTTP on the port it is given, as a process of its own.
 *
 * @param file its name in this folder
 */
export async function startHelper(name: string, file: string): Promise<Server & { url: string }> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const server = await startServer({
    process: {
      name,
      command: process.execPath,
      args: ['--import', 'tsx', path.join(import.meta.dirname, file), String(port)],
    },
    isReady: () =>
      fetch(url).then(
        ({ ok }) => ok,
        () => false,
      ),
  })
  return { ...server, url }
}

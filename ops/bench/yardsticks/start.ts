import process from 'node:process'
import postgres from 'postgres'
import { projectFolder } from '../../sandbox/folders.ts'
import { freePort } from '../../sandbox/ports.ts'
import { type Server, startServer } from '../../sandbox/server.ts'

/** What people would write by hand, and so what a booking costs without any of ours. */
export const yardsticks = ['one-statement', 'begin-commit'] as const
export type Yardstick = (typeof yardsticks)[number]

/** Connections to Postgres: the best for them of those that the workload `pools` tries. */
export const poolSizes = [8, 16, 32]
const bestPoolSize = 16

/** Starts it as a process of its own, compiled as the daemon is, in a database of its own on the same server. */
export async function startYardstick(
  name: Yardstick,
  serverUrl: string,
  poolSize = bestPoolSize,
): Promise<Server & { url: string }> {
  const database = `${name.replace('-', '_')}_${poolSize}`
  const admin = postgres(serverUrl, { max: 1 })
  await admin`create database ${admin(database)}`
  await admin.end()

  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const POSTGRES_URL = Object.assign(new URL(serverUrl), { pathname: database }).href
  const server = await startServer({
    process: {
      name: `the yardstick ${name}`,
      command: process.execPath,
      args: ['dist/ops/bench/yardsticks/main.js', name],
      cwd: projectFolder,
      env: { ...process.env, POSTGRES_URL, PORT: String(port), POOL: String(poolSize) },
    },
    isReady: () =>
      fetch(`${url}/health/ready`).then(
        ({ status }) => status === 200,
        () => false,
      ),
  })
  return { ...server, url }
}

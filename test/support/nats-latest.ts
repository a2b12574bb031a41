import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { toolsFolder } from '../../ops/sandbox/folders.ts'
import { isAtLeast, parseNatsVersion } from '../../ops/sandbox/nats-binary.ts'

const run = promisify(execFile)

const version = 'v2.15.2'
const built = path.join(toolsFolder, `nats-server-${version}`)
/** Servers from here on map subjects themselves. */
const wanted = { major: 2, minor: 10 }
const buildMs = 300_000

/** A server, or why there is none and what to do for one. */
export type LatestNats = { path: string; skip: undefined } | { path: undefined; skip: string }

/**
 * A nats-server of the present: `NATS_SERVER_LATEST_BIN`, else the one on the PATH if it is 2.10 or later, else the one
 * that was built before, else built now where Go is installed, which takes a minute or two.
 */
export async function findLatestNats(): Promise<LatestNats> {
  const named = process.env.NATS_SERVER_LATEST_BIN
  if (named)
    return (await isRecent(named)) ? found(named) : missing(`NATS_SERVER_LATEST_BIN is ${named}, which is none`)
  for (const candidate of ['nats-server', built]) if (await isRecent(candidate)) return found(candidate)
  try {
    await build()
    return found(built)
  } catch (error) {
    return missing((error as Error).message.split('\n', 3).join(' '))
  }
}

async function isRecent(file: string): Promise<boolean> {
  try {
    const { stdout } = await run(file, ['--version'])
    const actual = parseNatsVersion(stdout)
    return actual !== undefined && isAtLeast(actual, wanted)
  } catch {
    return false
  }
}

/** Builds in a folder of its own, and one rename publishes the result: several test files may do so at once. */
async function build(): Promise<void> {
  mkdirSync(toolsFolder, { recursive: true })
  const folder = mkdtempSync(path.join(toolsFolder, 'go-'))
  try {
    console.log(`building nats-server ${version} (once)`)
    const env = { ...process.env, GOBIN: folder }
    await run('go', ['install', `github.com/nats-io/nats-server/v2@${version}`], { env, timeout: buildMs })
    if (!existsSync(built)) renameSync(path.join(folder, 'nats-server'), built)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const found = (path: string): LatestNats => ({ path, skip: undefined })

function missing(reason: string): LatestNats {
  return { path: undefined, skip: `no nats-server 2.10 or later; name one in NATS_SERVER_LATEST_BIN (${reason})` }
}

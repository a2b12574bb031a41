import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { testPartitions } from '../test/support/nats.ts'
import { SandboxError } from './sandbox/errors.ts'
import { projectFolder } from './sandbox/folders.ts'
import { interrupted } from './sandbox/interrupt.ts'
import { startNats } from './sandbox/nats.ts'
import { isAlive } from './sandbox/pids.ts'
import { freePort } from './sandbox/ports.ts'
import { startPostgres } from './sandbox/postgres.ts'
import { launch, stopAll } from './sandbox/process.ts'

/** A file that never ends, say by a connection left open, must not hold up a run that nobody watches. */
const fileTimeout = '--test-timeout=600000'

const testsFolder = path.join(projectFolder, '.turnstile', 'test')

/** Runs the test files whose path contains one of `filters` (all without any) and returns the exit code. */
export async function runTests(filters: string[]): Promise<number> {
  const files = findTestFiles().filter((file) => filters.length === 0 || filters.some((part) => file.includes(part)))
  if (files.length === 0) {
    console.error(`no test file has one of these in its path: ${filters.join(', ')}`)
    return 1
  }
  removeLeftovers()
  const folder = path.join(testsFolder, String(process.pid))
  mkdirSync(folder, { recursive: true })
  try {
    return await Promise.race([runFiles(files, folder), interrupted().then(() => 130)])
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error
    console.error(error.message)
    return 1
  } finally {
    await stopAll()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function runFiles(files: string[], folder: string): Promise<number> {
  const servers = files.some((file) => file.endsWith('.int.test.ts')) ? await startServers(folder) : {}
  const runner = await launch({
    name: 'tests',
    command: process.execPath,
    args: ['--import', 'tsx', '--test', '--test-concurrency=2', '--test-reporter=spec', fileTimeout, ...files],
    cwd: projectFolder,
    env: { ...process.env, ...servers, TEST_FOLDER: folder },
    output: 'inherit',
  })
  return (await runner.exited).code ?? 1
}

/** One Postgres and one nats-server for the whole run, unless the environment names others. */
async function startServers(folder: string): Promise<NodeJS.ProcessEnv> {
  const { TEST_POSTGRES_URL, TEST_NATS_URL } = process.env
  return {
    TEST_POSTGRES_URL: TEST_POSTGRES_URL ?? (await startTestPostgres(folder)),
    TEST_NATS_URL: TEST_NATS_URL ?? (await startTestNats(folder)),
  }
}

async function startTestPostgres(folder: string): Promise<string> {
  const server = await startPostgres({
    folder: path.join(folder, 'postgres'),
    port: await freePort(),
    logFile: path.join(folder, 'postgres.log'),
    // Nothing here outlives the run; tests that kill Postgres start one of their own.
    settings: { fsync: 'off' },
  })
  return server.url
}

async function startTestNats(folder: string): Promise<string> {
  const server = await startNats({
    folder: path.join(folder, 'nats'),
    port: await freePort(),
    logFile: path.join(folder, 'nats.log'),
    // Every test file has a prefix of its own.
    prefix: '*',
    partitions: testPartitions,
    progress: console.log,
  })
  return server.url
}

function findTestFiles(): string[] {
  return ['actors', 'ops', 'schemas', 'src', 'test']
    .map((folder) => path.join(projectFolder, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => path.join(folder, file)),
    )
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => path.relative(projectFolder, file))
}

/** Folders are named after the process that made them; one that was killed could not remove its own. */
function removeLeftovers(): void {
  mkdirSync(testsFolder, { recursive: true })
  for (const pid of readdirSync(testsFolder)) {
    if (!isAlive(Number(pid))) rmSync(path.join(testsFolder, pid), { recursive: true, force: true })
  }
}

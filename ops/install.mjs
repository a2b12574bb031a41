// Brings node_modules to what package-lock.json says. Runs before anything is installed, so it needs nothing but Node.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const project = fileURLToPath(new URL('..', import.meta.url))

/** The first Node that has all we use (`module.register`, `--test-timeout`). */
const oldestNode = [20, 11]

/** Installs what is missing, or ends the process with a message that says why it cannot. */
export async function install() {
  try {
    requireNode(process.versions.node)
    await installDependencies()
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
}

async function installDependencies() {
  const lock = readLock(path.join(project, 'package-lock.json'))
  const installed = readLock(path.join(project, 'node_modules', '.package-lock.json'))
  if (lock === undefined) throw new Error('package-lock.json is missing or broken: restore it with git checkout')
  if (isInstalled(lock, installed)) return
  console.log(`· installing the dependencies${installed === undefined ? '' : ': package-lock.json has changed'}`)
  await npmCi()
}

/**
 * Whether node_modules holds what the lock file asks for. Compares contents and not times, as a clone and a pull both
 * give every file the time they ran at. npm records what it installed in a lock file of its own inside node_modules,
 * written last, so an interrupted installation has none.
 */
export function isInstalled(lock, installed) {
  if (installed === undefined) return false
  return Object.entries(lock.packages).every(([folder, wanted]) => {
    const found = installed.packages[folder]
    if (found !== undefined) return found.version === wanted.version && found.integrity === wanted.integrity
    // The root is never listed. Optional packages may be missing for good: those of other platforms are.
    return folder === '' || wanted.optional === true || wanted.devOptional === true
  })
}

function requireNode(version) {
  const [major, minor] = version.split('.').map(Number)
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return
  throw new Error(`Turnstile needs Node ${oldestNode.join('.')} or later; this is ${version}: see https://nodejs.org`)
}

function readLock(file) {
  try {
    const lock = JSON.parse(readFileSync(file, 'utf8'))
    return lock.packages === undefined ? undefined : lock
  } catch {
    return undefined
  }
}

async function npmCi() {
  // Warnings about what the packages themselves depend on help nobody who just wants to start.
  const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error']
  // Under `npm start` this is the npm that runs us.
  const npm = process.env.npm_execpath
  const [command, ...first] = npm === undefined ? ['npm'] : [process.execPath, npm]
  const child = spawn(command, [...first, ...args], {
    cwd: project,
    stdio: 'inherit',
    shell: npm === undefined && process.platform === 'win32',
  })
  // A Ctrl-C on the terminal reaches npm by itself; a signal sent to this process alone has to be handed on.
  let isInterrupted = false
  const interrupt = () => {
    isInterrupted = true
    child.kill('SIGTERM')
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, interrupt)
  const [code] = await once(child, 'exit')
  for (const signal of signals) process.off(signal, interrupt)
  if (isInterrupted) process.exit(130)
  if (code !== 0) throw new Error('npm ci failed: see above')
}

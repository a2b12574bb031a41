import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { SandboxError } from './errors.ts'
import { ensureFolder, toolsFolder } from './folders.ts'
import { launch } from './process.ts'

export type NatsBinary = { path: string; version: Version }
export type Version = { major: number; minor: number }

const oldest: Version = { major: 2, minor: 9 }

/** `NATS_SERVER_BIN`, else nats-server from the PATH, else what was fetched before, else fetched now with apt. */
export async function findNatsServer(progress: (line: string) => void = () => {}): Promise<NatsBinary> {
  const named = process.env.NATS_SERVER_BIN
  if (named) {
    const binary = tryBinary(named)
    if (binary === undefined) throw new SandboxError('bad-setting', unusable(named))
    return binary
  }
  const fetched = path.join(toolsFolder, 'nats-server')
  const found = tryBinary('nats-server') ?? tryBinary(fetched)
  if (found !== undefined) return found

  progress('fetching nats-server with apt (once)')
  await fetchWithApt(fetched)
  const binary = tryBinary(fetched)
  if (binary === undefined) throw new SandboxError('missing-tool', `apt's nats-server is too old: ${howToGetIt()}`)
  return binary
}

/** Reads what `nats-server --version` prints, e.g. `nats-server: v2.9.10`. */
export function parseNatsVersion(output: string): Version | undefined {
  const match = /^nats-server: v(\d+)\.(\d+)\./m.exec(output)
  return match === null ? undefined : { major: Number(match[1]), minor: Number(match[2]) }
}

export function isAtLeast(version: Version, other: Version): boolean {
  return version.major > other.major || (version.major === other.major && version.minor >= other.minor)
}

function tryBinary(file: string): NatsBinary | undefined {
  const version = parseNatsVersion(spawnSync(file, ['--version'], { encoding: 'utf8' }).stdout ?? '')
  return version !== undefined && isAtLeast(version, oldest) ? { path: file, version } : undefined
}

/**
 * Unpacks the distribution's package without installing it: apt works on list and cache folders of our own, so neither
 * root nor a service is involved. All of it happens in a folder that only this process knows, and one rename publishes
 * the result, so several may do it at once.
 */
async function fetchWithApt(target: string): Promise<void> {
  ensureFolder(toolsFolder)
  const folder = mkdtempSync(path.join(toolsFolder, 'apt-'))
  try {
    const [lists, cache] = [path.join(folder, 'lists'), path.join(folder, 'cache')]
    for (const made of [lists, cache]) mkdirSync(made)
    const options = ['-q', '-o', `Dir::State::Lists=${lists}`, '-o', `Dir::Cache=${cache}`]
    // As root apt would download as the user _apt, who cannot write here.
    if (process.getuid?.() === 0) options.push('-o', 'APT::Sandbox::User=root')

    await run(folder, 'apt-get', [...options, 'update'])
    await run(folder, 'apt-get', [...options, 'download', 'nats-server'])
    await run(folder, 'sh', ['-c', 'dpkg-deb -x nats-server_*.deb unpacked'])
    const binary = path.join(folder, 'unpacked', 'usr', 'sbin', 'nats-server')
    chmodSync(binary, 0o755)
    renameSync(binary, target)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function run(cwd: string, command: string, args: string[]): Promise<void> {
  const failed = (reason: string): SandboxError =>
    new SandboxError('missing-tool', `nats-server was not found, and ${command} ${reason}\n${howToGetIt()}`)

  const child = await launch({ name: command, command, args, cwd }).catch((error) => {
    throw error instanceof SandboxError && error.code === 'missing-tool' ? failed('is not there to fetch it') : error
  })
  const exit = await child.exited
  if (exit.code !== 0) throw failed(['failed to fetch it:', ...child.lines.slice(-5)].join('\n  '))
}

function unusable(file: string): string {
  return `NATS_SERVER_BIN is ${file}, which is no nats-server of version ${oldest.major}.${oldest.minor} or later`
}

function howToGetIt(): string {
  const docker = 'docker run -p 4222:4222 nats -js, and NATS_URL=nats://127.0.0.1:4222'
  if (process.platform === 'darwin') return `install it with: brew install nats-server (or: ${docker})`
  if (process.platform === 'win32') return `install it with: choco install nats-server (or: ${docker})`
  return `put nats-server 2.9 or later on the PATH, or name it in NATS_SERVER_BIN (or: ${docker})`
}

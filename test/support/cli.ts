import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { projectFolder } from '../../ops/sandbox/folders.ts'
import type { CrashPoint } from '../../src/crash-points.ts'

export type CliResult = { code: number | null; out: string; err: string }

/** Runs `turnstile …` as a process of its own, to its end. */
export function runCli(env: Record<string, string>, args: string[], input = ''): Promise<CliResult> {
  return runNode(env, ['bin/turnstile.mjs', ...args], input)
}

/** The same, but it kills itself when it gets there. */
export function crashCli(env: Record<string, string>, at: CrashPoint, args: string[]): Promise<CliResult> {
  const preloaded = ['--import', 'tsx', '--import', './test/support/crash.ts', 'src/main.ts']
  return runNode({ ...env, CRASH_AT: at }, [...preloaded, ...args], '')
}

async function runNode(env: Record<string, string>, args: string[], input: string): Promise<CliResult> {
  const child = spawn(process.execPath, args, {
    cwd: projectFolder,
    env: { ...process.env, ...env },
    timeout: 60_000,
  })
  child.stdin.end(input)
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, out, err }
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { projectFolder } from '../../ops/sandbox/folders.ts'

export type CliResult = { code: number | null; out: string; err: string }

/** Runs `turnstile …` as a process of its own, to its end. */
export async function runCli(env: Record<string, string>, args: string[], input = ''): Promise<CliResult> {
  const child = spawn(process.execPath, ['bin/turnstile.mjs', ...args], {
    cwd: projectFolder,
    env: { ...process.env, ...env },
    timeout: 30_000,
  })
  child.stdin.end(input)
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, out, err }
}

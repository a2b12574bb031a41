import { spawn } from 'node:child_process'
import path from 'node:path'
import process from 'node:process'

/**
 * Runs a load client, `load.ts` or `open-load.ts`, as a process of its own.
 *
 * @param options goes to it as JSON, and its result comes back so
 */
export function runClient<Options, Result>(file: 'load.ts' | 'open-load.ts', options: Options): Promise<Result> {
  return new Promise((resolve, reject) => {
    const args = ['--import', 'tsx', path.join(import.meta.dirname, file), JSON.stringify(options)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (chunk) => (output += chunk))
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(output))
      else reject(new Error(`${file} ended with ${code}`))
    })
  })
}
